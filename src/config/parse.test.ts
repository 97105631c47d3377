import { expect, test } from 'bun:test'
import { decodeConfig, MAX_CONFIG_BYTES, parseConfig } from './parse.ts'
import { errorOf, inherited } from './testing.ts'

const parse = (text: string) => parseConfig(text, { file: 'coop.toml', layer: 'project' }).layer
const fail = (text: string) => errorOf(() => parse(text))

test('an empty file says nothing', () => {
  expect(parse('')).toEqual({})
  expect(parse('# only a comment\n')).toEqual({})
})

test('a full file becomes typed values', () => {
  const layer = parse(`
[sandbox]
image = "debian:latest"
agent = "claude"
args = ["--verbose"]
setup = ["apt-get update", """
apt-get install -y \\
  ripgrep"""]
mounts = ["~/.bashrc:~/.bashrc", "claude-config:~/.claude", "../lib:/lib-src:ro", { host = "/a:b", target = "/c" }]
[env]
KEY = "$KEY"
[network]
mode = "veth"
allow = ["*", "*.example.com", "api.example.com:443", "10.0.0.0/8", "fd00::/8", "[::1]:80", "localhost"]
ports = ["3000", "8080:3000", 9]
[session]
restart_delay_ms = 0
detach_key = "ctrl-\\\\"
[limits]
memory = "4g"
cpus = "0.5"
pids = ""
disk = ""
[input_filter]
block_sequences = ["\\u0003"]
`)
  expect(layer.sandbox?.setup?.[1]).toBe('apt-get install -y ripgrep')
  expect(layer.sandbox?.mounts).toEqual([
    { kind: 'host', source: '~/.bashrc', target: '~/.bashrc', readonly: false, force: false },
    { kind: 'volume', volume: 'claude-config', target: '~/.claude', readonly: false },
    { kind: 'host', source: '../lib', target: '/lib-src', readonly: true, force: false },
    { kind: 'host', source: '/a:b', target: '/c', readonly: false, force: false },
  ])
  expect(layer.env).toEqual({ KEY: '$KEY' })
  expect(layer.network?.ports).toEqual([
    { host: 3000, box: 3000 },
    { host: 8080, box: 3000 },
    { host: 9, box: 9 },
  ])
  expect(layer.session).toEqual({ restart_delay_ms: 0, detach_key: 'ctrl-\\' })
  expect(layer.limits).toEqual({ memory: 4 * 2 ** 30, cpus: 0.5, pids: 4096, disk: null })
  expect(layer.input_filter).toEqual({ block_sequences: ['\u0003'] })
})

test('dotted keys and tables of tables mean the same as their long forms', () => {
  expect(parse('sandbox.image = "a"\nenv = { B = "c" }')).toEqual({
    sandbox: { image: 'a' },
    env: { B: 'c' },
  })
  const layer = parse('[[sandbox.mounts]]\nvolume = "v"\ntarget = "/v"')
  expect(layer.sandbox?.mounts).toEqual([{ kind: 'volume', volume: 'v', target: '/v', readonly: false }])
})

test('an unknown key names file, line, key, what there is and the nearest one', () => {
  const error = fail('[sandbox]\n\nimgae = "host"')
  expect(error.code).toBe('E_CONFIG')
  expect(error.message).toStartWith(
    'coop.toml:3: unknown key "imgae" in [sandbox]; its keys are image, agent,',
  )
  expect(error.hint).toBe('did you mean "image"?')
})

test('an unknown table gets the nearest one', () => {
  expect(fail('\n[sandboxes]').message).toStartWith('coop.toml:2: unknown table "sandboxes"')
  expect(fail('[netwrok]').hint).toBe('did you mean [network]?')
})

test('a key in the wrong table is told where it belongs', () => {
  expect(fail('image = "host"').hint).toBe('move image to [sandbox]')
  expect(fail('[session]\nmemory = "4g"').hint).toBe('move memory to [limits]')
})

test.each([
  ['[sandbox]\nimage = 1', 'coop.toml:2: sandbox.image must be "host" or an image reference'],
  ['[sandbox]\nimage = "-v"', 'sandbox.image must be'],
  ['[sandbox]\nargs = "x"', 'coop.toml:2: sandbox.args must be a list of strings, not "x"'],
  ['[sandbox]\nargs = [\n"a",\n1]', 'coop.toml:2: sandbox.args[1] must be a string, not 1'],
  ['[sandbox]\nuser = "Root User"', 'sandbox.user must be a user name'],
  ['[sandbox]\nhostname = "a_b"', 'sandbox.hostname must be a host name'],
  ['[sandbox]\nnested = "yes"', 'sandbox.nested must be true or false, not "yes"'],
  ['[sandbox]\nshell = ""', 'sandbox.shell must be'],
  ['[sandbox]\nsetup = [" "]', 'sandbox.setup[0] must be a shell command'],
  ['[workspace]\npath = "x"', 'workspace.path must be an absolute path'],
  ['[workspace]\nwritable = ["../x"]', 'workspace.writable[0] must be a relative path without ".."'],
  ['[network]\nallow = ["http://x"]', 'network.allow[0] must be a host name'],
  ['[network]\nallow = ["x:70000"]', 'network.allow[0]'],
  ['[network]\nports = ["0"]', 'network.ports[0] must be a port'],
  [
    '[session]\nrestart_delay_ms = -1',
    'session.restart_delay_ms must be a whole number of milliseconds from 0',
  ],
  ['[session]\nrestart_delay_ms = 1.5', 'not 1.5'],
  ['[session]\nrestart_delay_ms = nan', 'not NaN'],
  ['[session]\ndetach_key = "ctrl-["', 'session.detach_key must be'],
  ['[session]\npersist = ["/etc"]', 'session.persist[0] must be a relative path'],
  ['[limits]\nmemory = "4x"', 'limits.memory must be a size'],
  ['[limits]\nmemory = 4', 'limits.memory must be a size'],
  ['[limits]\ncpus = "0"', 'limits.cpus must be a number of processors'],
  ['[limits]\npids = 99999999999999999999', 'limits.pids must be a whole number'],
  ['[serve]\nport = 65536', 'serve.port must be a whole number from 1 to 65535, not 65536'],
  ['env = 1', 'coop.toml:1: env must be a table, not 1'],
  ['[[sandbox]]', 'coop.toml:1: sandbox must be a table, not a list'],
  ['[env]\nA = 1', 'coop.toml:2: env.A must be a string'],
  ['[env]\n"A-B" = "1"', 'coop.toml:2: env has the name "A-B"'],
])('%j is refused', (text, message) => {
  const error = fail(text)
  expect(error.message).toContain(message)
  expect(error.message).toStartWith('coop.toml:')
  expect(error.hint).toBeString()
})

test('a mistyped word gets the nearest valid one', () => {
  const error = fail('[network]\nmode = "nnoe"')
  expect(error.message).toBe('coop.toml:2: network.mode must be one of "host", "none", not "nnoe"')
  expect(error.hint).toBe('did you mean "none"?')
})

test('values of [env] never appear in messages', () => {
  expect(fail('[env]\nTOKEN = ["hunter2"]').message).not.toContain('hunter2')
  expect(fail('[env]\nTOKEN = "hunter2\\u0000"').message).not.toContain('hunter2')
})

test('keys and values cannot control the terminal through a message', () => {
  const hostile = fail('[sandbox]\n"\\u001b[2J\\u009b\\u202e" = 1').message
  expect(hostile).not.toMatch(/[\0-\x1f\x7f-\x9f\u202e]/)
  expect(fail(`[sandbox]\nimage = " ${'x'.repeat(10_000)}"`).message.length).toBeLessThan(300)
})

test.each([
  ['a = 1\n\nb = = 2', 'coop.toml:3:5: this is not TOML:'],
  ['[sandbox]\nimage = "x', 'coop.toml:2:'],
  ['[sandbox]\nimage = x', 'coop.toml:2:9:'],
  ['[sandbox', 'coop.toml:1:9:'],
  ['a', 'coop.toml:1:2: this is not TOML: key ended without value'],
  ['[env]\nA = "1"\nA = "2"', "coop.toml:3:8: this is not TOML: can't redefine existing key"],
  ['[env]\n?', 'coop.toml:2:1: this is not TOML: unexpected character'],
  ['[env]\nA = "\\e"', 'coop.toml:2:'],
  ['[env]\nA = 9999-99-99', 'coop.toml:2: no value of coop.toml is a date'],
  ['toString.call = 1', 'coop.toml:1: "toString" is not a key of coop.toml'],
])('the syntax error in %j has its place', (text, message) => {
  const error = fail(text)
  expect(error.message).toStartWith(message)
  expect(error.message).not.toContain('\n')
})

test('force is for the global layer only', () => {
  const text = '[sandbox]\nmounts = [{ host = "~/.ssh", target = "~/.ssh", force = true }]'
  expect(fail(text).message).toContain('coop.toml:2: sandbox.mounts[0].force may not be set by a project')
  const global = parseConfig(text, { file: 'default.toml', layer: 'global' }).layer
  expect(global.sandbox?.mounts?.[0]).toMatchObject({ force: true })
})

test('no text changes what every object inherits', () => {
  const before = inherited()
  for (const name of Object.getOwnPropertyNames(Object.prototype)) {
    for (const text of [
      `${name}.x = 1`,
      `[${name}]\nx = 1`,
      `[env]\n${name} = "x"`,
      `env = { ${name}.x = "1" }`,
    ])
      fail(text)
  }
  expect(inherited()).toBe(before)
})

test('a file that is too large, or no UTF-8, is refused before it is parsed', () => {
  expect(errorOf(() => decodeConfig(new Uint8Array(MAX_CONFIG_BYTES + 1), 'coop.toml')).message).toContain(
    'larger',
  )
  expect(errorOf(() => parse('#'.repeat(MAX_CONFIG_BYTES + 1))).message).toContain('larger')
  expect(errorOf(() => decodeConfig(Uint8Array.of(0x23, 0xff), 'coop.toml')).message).toContain('UTF-8')
})

test('a byte order mark and Windows line ends are no mistakes', () => {
  const text = decodeConfig(Buffer.from('\ufeff[sandbox]\r\nimage = "x"\r\n'), 'coop.toml')
  expect(parse(text)).toEqual({ sandbox: { image: 'x' } })
})

test('the parsed file knows the lines of its keys', () => {
  const { lineOf } = parseConfig('[sandbox]\nimage = "x"', { file: 'coop.toml', layer: 'project' })
  expect(lineOf(['sandbox', 'image'])).toBe(2)
})

test('a project may not say whether coop looks for releases', () => {
  const text = '[update]\ncheck = true\n'
  expect(() => parseConfig(text, { file: 'coop.toml', layer: 'project' })).toThrow(
    /coop\.toml:2: update\.check may not be set by a project/,
  )
  expect(parseConfig(text, { file: 'default.toml', layer: 'global' }).layer.update).toEqual({ check: true })
})

test.each(['host = "0.0.0.0"', 'port = 80'])('a project may not say where coop serves: %s', (line) => {
  const text = `[serve]\n${line}\n`
  expect(() => parseConfig(text, { file: 'coop.toml', layer: 'project' })).toThrow(
    /coop\.toml:2: serve\.\w+ may not be set by a project/,
  )
  expect(parseConfig(text, { file: 'default.toml', layer: 'global' }).layer.serve).toBeDefined()
})

test('a project may not choose the colours of coop', () => {
  const text = '[ui]\ntheme = "paper"\n'
  expect(() => parseConfig(text, { file: 'coop.toml', layer: 'project' })).toThrow(
    /coop\.toml:2: ui\.theme may not be set by a project/,
  )
  const layer = 'global' as const
  expect(parseConfig(text, { file: 'default.toml', layer }).layer.ui).toEqual({ theme: 'paper' })
  const wrong = '[ui]\ntheme = "midnigt"\n'
  expect(() => parseConfig(wrong, { file: 'default.toml', layer })).toThrow(
    expect.objectContaining({ hint: 'did you mean "midnight"?' }),
  )
})

test('a project may not say what is run on this machine', () => {
  const text = '[session]\nnotify = "notify-send coop"\n'
  expect(() => parseConfig(text, { file: 'coop.toml', layer: 'project' })).toThrow(
    /notify may not be set by a project/,
  )
  expect(parseConfig(text, { file: 'default.toml', layer: 'global' }).layer.session?.notify).toBe(
    'notify-send coop',
  )
})

test('the sequences that browsers may not type are few and short', () => {
  const read = (list: readonly string[]) =>
    parseConfig(`[input_filter]\nblock_sequences = ${JSON.stringify(list)}\n`, {
      file: 'coop.toml',
      layer: 'project',
    }).layer.input_filter?.block_sequences
  expect(read(['\u001b[A', 'x'.repeat(32)])).toHaveLength(2)
  for (const bad of [[''], ['x'.repeat(33)], Array.from({ length: 33 }, (_, at) => `s${at}`)])
    expect(() => read(bad)).toThrow(/input_filter\.block_sequences.* must be a/)
})
