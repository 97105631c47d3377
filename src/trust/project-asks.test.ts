import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type ConfigOverrides, readLayers } from '../config/load.ts'
import { MAX_ASKS, openAsks, trustError, wantedBy } from './ask.ts'
import { projectAsks } from './project-asks.ts'

let root = ''
const workspace = () => join(root, 'work')
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coop-trust-'))
  mkdirSync(workspace())
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

interface Layers {
  readonly user?: string
  readonly env?: Record<string, string>
  readonly flags?: ConfigOverrides
}

/** The requests of a coop.toml beyond the user's own layers. */
function asks(project: string, { user = '', env = {}, flags }: Layers = {}) {
  writeFileSync(join(workspace(), 'coop.toml'), project)
  writeFileSync(join(root, 'default.toml'), user)
  const loaded = readLayers({ workspace: workspace(), configDir: root, env, overrides: flags })
  const { mounts } = loaded.config.sandbox
  return projectAsks(loaded, join(workspace(), 'coop.toml'), {
    workspace: '/w',
    home: '/home/coop',
    mount: (index) => {
      const mount = mounts[index]
      if (mount?.kind !== 'host') return undefined
      // Every path leads to itself, seen from /w.
      const source = resolve('/w', mount.source)
      return { source, target: mount.target, readonly: mount.readonly }
    },
    image: (reference) => `whole/${reference}`,
    describeMount: (source) => (source === '/run/x' ? 'it holds sockets: x.sock' : undefined),
  })
}
const keys = (project: string, layers?: Layers) => asks(project, layers).map(({ key }) => key)
/** Whether the request of `wide` covers the single request of `narrow`. */
const covers = (wide: string, narrow: string, layers?: Layers) =>
  openAsks(asks(narrow, layers), new Set(keys(wide, layers))).length === 0

test('without a coop.toml nothing is asked', () => {
  writeFileSync(join(root, 'default.toml'), '[sandbox]\nnested = true\n[env]\nA = "$A"\n')
  const loaded = readLayers({ workspace: workspace(), configDir: root, env: {} })
  const mount = () => undefined
  expect(
    projectAsks(loaded, join(workspace(), 'coop.toml'), {
      workspace: '/w',
      home: '/h',
      mount,
      image: String,
    }),
  ).toEqual([])
})

test('what is only about the box itself is safe', () => {
  const safe = `
[sandbox]
image = "host"
agent = "claude"
shell = "zsh"
user = "robin"
hostname = "nest"
mounts = ["./data:/mnt/data", "./data:~/data:ro", ".:/src"]
nested = false
ptrace = true
[workspace]
mount = "sub"
path = "/work"
[env]
NODE_ENV = "test"
LC_ALL = "C"
PORT = "80"
[network]
mode = "host"
allow = ["example.com"]
[session]
persist = [".claude", ".cache"]
auto_restart = false
restart_delay_ms = 0
detach_key = "ctrl-a"
[limits]
memory = "64g"
cpus = "64"
pids = 4096
disk = "1t"
[input_filter]
ctrl_c_debounce_ms = 900
block_sequences = ["x"]
[secrets]
hide = ["*.x"]
`
  expect(keys(safe)).toEqual([])
  for (const agent of ['', 'codex', 'gemini', 'opencode', 'aider'])
    expect(keys(`[sandbox]\nagent = "${agent}"`)).toEqual([])
})

test.each([
  ['[env]\nGITHUB_TOKEN = "$GITHUB_TOKEN"', ['env:GITHUB_TOKEN']],
  ['[env]\nLD_PRELOAD = "$GITHUB_TOKEN"', ['env:GITHUB_TOKEN:LD_PRELOAD']],
  ['[env]\nPORT = "$PORT"', ['env:PORT']],
  ['[env]\nX = "y"\nNODE_ENV = "test"\nTZ = "America/Argentina/Salta"', ['env-set:X:y']],
  ['[env]\nPORT = "a[$(b)]"\nLINES = "x"', ['env-set:PORT:a[$(b)]', 'env-set:LINES:x']],
  ['[env]\nLANG = "../l"\nLANGUAGE = "de"', ['env-set:LANG:../l', 'env-set:LANGUAGE:de']],
  ['[env]\nTZ = "/etc/shadow"\nLC_ALL = "a/b"', ['env-set:TZ:/etc/shadow', 'env-set:LC_ALL:a/b']],
  ['[env]\nTZ = "a/../b"\nCI = "a b"', ['env-set:TZ:a/../b', 'env-set:CI:a b']],
  ['[env]\nNODE_ENVY = "1"\nMY_PORT = "2"', ['env-set:NODE_ENVY:1', 'env-set:MY_PORT:2']],
  ['[env]\nPATH = "/w/bin"', ['env-set:PATH:/w/bin']],
  [
    '[env]\nLD_PRELOAD = "/w/x.so"\nANTHROPIC_BASE_URL = "https://x"',
    ['env-set:LD_PRELOAD:/w/x.so', 'env-set:ANTHROPIC_BASE_URL:https%3A//x'],
  ],
  ['[sandbox]\nmounts = ["./a:/home/me/.nvm/lib:ro"]', ['mount:/w/a:ro:/home/me/.nvm/lib']],
  ['[sandbox]\nmounts = ["./a:/nix/store/x:ro"]', ['mount:/w/a:ro:/nix/store/x']],
  ['[sandbox]\nmounts = ["./a:/w/b:ro", "./a:/mnt/a", "./a:~/a"]', []],
  ['[workspace]\npath = "/home/me/.nvm/lib"', ['path:/home/me/.nvm/lib']],
  ['[sandbox]\nmounts = ["../lib:/lib-src:ro"]', ['mount:/lib:ro:/lib-src']],
  ['[sandbox]\nmounts = ["/srv/a%3Ab:/x"]', ['mount:/srv/a%253Ab:rw:/x']],
  ['[sandbox]\nmounts = [{ host = "/srv/a:b", target = "/x" }]', ['mount:/srv/a%3Ab:rw:/x']],
  ['[sandbox]\nmounts = ["./bin:/usr/local/bin"]', ['mount:/w/bin:rw:/usr/local/bin']],
  ['[sandbox]\nmounts = ["./c:/home/coop/.claude:ro"]', ['mount:/w/c:ro:~/.claude']],
  ['[sandbox]\nmounts = ["cache:~/.npm"]', ['volume:cache:rw:~/.npm']],
  ['[sandbox]\nnested = true', ['nested']],
  ['[sandbox]\nimage = "debian"', ['image:whole/debian']],
  ['[sandbox]\nsetup = ["a", "b"]', ['setup:a', 'setup:b']],
  ['[sandbox]\nagent = "claude --yes"', ['agent:claude --yes']],
  ['[sandbox]\nargs = ["-x", "y z"]', ['args:["-x","y z"]']],
  ['[sandbox]\nshell = "bash -c x"', ['shell:bash -c x']],
  ['[workspace]\nmount = "sub/../../x"', ['workspace:../x']],
  ['[workspace]\npath = "/usr/lib/x"', ['path:/usr/lib/x']],
  ['[workspace]\npath = "/home/coop"', ['path:/home/coop']],
  ['[workspace]\nwritable = [".vscode", "./.envrc"]', ['writable:.vscode', 'writable:.envrc']],
  ['[network]\nports = ["8080:3000"]', ['port:8080:3000']],
  ['[limits]\npids = 5000', ['limits.pids:5000']],
  ['[input_filter]\nctrl_c_debounce_ms = 499', ['debounce:499']],
  ['[secrets]\nshow = [".env"]', ['secrets.show:.env']],
])('%p asks', (project, expected) => {
  expect(keys(project)).toEqual(expected)
})

test('a project only tightens what the user says; what widens it is asked, with the reason', () => {
  const user = `
[sandbox]
agent = "claude --permission-mode plan"
shell = "bash --restricted"
args = ["--safe"]
nested = true
ptrace = false
[network]
mode = "none"
allow = ["example.com"]
[env]
A = "1"
B = "$B"
[limits]
memory = "4g"
cpus = "2"
pids = 100
disk = "1g"
[secrets]
hide = ["*.key", "*.x"]
show = ["a.env"]
`
  const same = (project: string) => keys(project, { user })
  expect(
    same(
      '[sandbox]\nargs = ["--safe"]\nnested = false\nptrace = false\n[network]\nmode = "none"\nallow = ["example.com"]\n[env]\nA = "1"\nB = "$B"\n[limits]\nmemory = "2g"\ncpus = "1"\npids = 50\ndisk = "1m"\n[secrets]\nhide = ["*.key", "*.x", "*.y"]\nshow = []',
    ),
  ).toEqual([])
  expect(
    same(
      '[sandbox]\nagent = "claude"\nshell = "bash"\nargs = []\nptrace = true\n[network]\nmode = "host"\nallow = ["*"]\n[env]\nA = "2"\nB = "b"\n[limits]\nmemory = ""\ncpus = "3"\npids = 200\ndisk = "2g"\n[secrets]\nhide = ["*.key"]\nshow = ["a.env", "b.env"]',
    ),
  ).toEqual([
    'agent:claude',
    'args:[]',
    'shell:bash',
    'ptrace',
    'env-instead:A:2',
    'env-instead:B:b',
    'network:host',
    'allow:*',
    'limits.memory:none',
    'limits.cpus:3',
    'limits.pids:200',
    'limits.disk:2147483648',
    'secrets.unhide:*.x',
    'secrets.show:b.env',
  ])
  expect(asks('[network]\nmode = "host"', { user })[0]?.sentence).toBe(
    'use the network of this machine, where your own settings say "none"',
  )
  expect(asks('[limits]\nmemory = "8g"', { user })[0]?.sentence).toBe(
    'use 8g memory, where your own settings allow 4g',
  )
})

test('flags and COOP_* are the user, and what they set asks nothing', () => {
  const project = '[sandbox]\nimage = "x"\nagent = "sh"\n[network]\nmode = "host"\n[env]\nT = "$T"'
  const user = '[network]\nmode = "none"'
  expect(keys(project, { user })).toEqual(['image:whole/x', 'agent:sh', 'env:T', 'network:host'])
  const flags = { image: 'y', agent: 'z', network: 'host', env: { T: 'own' } }
  expect(keys(project, { user, flags })).toEqual([])
  const env = { COOP_IMAGE: 'y', COOP_AGENT: 'z', COOP_NETWORK: 'host' }
  expect(keys(project, { user, env })).toEqual(['env:T'])
})

test('other bytes of the same meaning ask nothing', () => {
  const one =
    '[sandbox]\nnested = true\nmounts = ["../lib:/x:ro", "v:~/v"]\nsetup = ["a"]\n[env]\nX = "$T"\n[limits]\npids = 5000'
  const other =
    '# text\n[limits]\npids = 5_000\n[env]\nX = \'$T\'\n[sandbox]\nsetup = ["""a"""]\nmounts = [{ volume = "v", target = "/home/coop/./v" }, { host = "./../lib/", target = "//x/", readonly = true }]\nnested = true\n'
  expect(covers(one, other)).toBe(true)
})

test('what is narrower passes, and what is wider asks again', () => {
  const mount = (text: string) => `[sandbox]\nmounts = ["${text}"]`
  expect(covers(mount('/a:/x'), mount('/a:/x:ro'))).toBe(true)
  expect(covers(mount('/a:/x:ro'), mount('/a:/x'))).toBe(false)
  expect(covers(mount('/a:/x'), mount('/a/b:/x'))).toBe(false) // another folder
  expect(covers(mount('/a:/x'), mount('/a:/y'))).toBe(false)
  expect(covers(mount('v:/x'), mount('v:/x:ro'))).toBe(true)
  expect(covers(mount('v:/x'), mount('w:/x'))).toBe(false)
  const pids = (n: number) => `[limits]\npids = ${n}`
  expect(covers(pids(9000), pids(8000))).toBe(true)
  expect(covers(pids(9000), pids(9001))).toBe(false)
  const user = '[network]\nmode = "none"\n[limits]\nmemory = "1g"'
  const mode = (text: string) => `[network]\nmode = "${text}"`
  expect(covers(mode('host'), mode('veth'), { user })).toBe(true)
  expect(covers(mode('veth'), mode('host'), { user })).toBe(false)
  const memory = (text: string) => `[limits]\nmemory = "${text}"`
  expect(covers(memory(''), memory('2g'), { user })).toBe(true)
  expect(covers(memory('2g'), memory(''), { user })).toBe(false)
  const setup = (...steps: string[]) => `[sandbox]\nsetup = ${JSON.stringify(steps)}`
  expect(covers(setup('a', 'b', 'c'), setup('b', 'a'))).toBe(true)
  expect(covers(setup('a', 'b'), setup('a && b'))).toBe(false)
})

test('a long text is known by its digest, which no other text can take the place of', () => {
  const long = 'x'.repeat(5000)
  const [key = ''] = keys(`[sandbox]\nsetup = ["${long}"]`)
  expect(key).toMatch(/^setup::[0-9a-f]{64}$/)
  expect(keys(`[sandbox]\nsetup = ["${key.slice('setup:'.length)}"]`)).not.toEqual([key])
  expect(keys(`[sandbox]\nsetup = ["${long}y"]`)).not.toEqual([key])
})

test('a sentence is one short line without anything unseen, and says what it leaves out', () => {
  const [{ sentence } = { sentence: '' }] = asks(
    `[sandbox]\nsetup = ["\\u001b[2Jtrue\\n\\u202eevil\\u200b\\u3164${'y'.repeat(1000)}"]`,
  )
  expect(sentence).toStartWith(
    'run at build time, as root of the box: "\\u001b[2Jtrue\\n\\u202eevil\\u{200b}\\u{3164}yyy',
  )
  expect(sentence).toMatch(/" \(and 8\d\d more characters, see the file\)$/)
  expect(sentence.length).toBeLessThan(300)
  expect(asks('[sandbox]\nmounts = ["/run/x:/x:ro"]')[0]?.sentence).toBe(
    'have /run/x of this machine at /x, read-only; it holds sockets: x.sock',
  )
})

test('each ask names the key that says so', () => {
  const at = asks('[sandbox]\nsetup = ["a"]\nmounts = ["v:/x"]\nnested = true\n[env]\nT = "$T"', {
    user: '[sandbox]\nsetup = ["mine"]\nmounts = ["mine:/y"]',
  }).map((ask) => ask.at)
  expect(at).toEqual(['sandbox.setup[1]', 'sandbox.mounts[1]', 'sandbox.nested', 'env.T'])
})

test('the error carries what is asked, and is short', () => {
  const many = Array.from({ length: 40 }, (_, index) => ({ key: `k${index}`, sentence: `do ${index}` }))
  const error = trustError('/w/my app', many)
  expect(error.message).toBe(
    'the project in /w/my app wants what you have not accepted: to do 0; to do 1; to do 2; and 37 more',
  )
  expect(error.hint).toContain("coop trust -w '/w/my app'")
  expect(wantedBy(error)).toEqual({ workspace: '/w/my app', asks: many, note: '' })
  expect(wantedBy(new Error('x'))).toBeUndefined()
  const endless = Array.from({ length: MAX_ASKS + 1 }, (_, index) => ({ key: `k${index}`, sentence: 'x' }))
  expect(trustError('/w', endless)).toMatchObject({ code: 'E_CONFIG', details: undefined })
})

test('less to hold back in a browser than the user says needs the word of a person', () => {
  const user = '[input_filter]\nctrl_c_debounce_ms = 300\nblock_sequences = ["\\u001a", "x"]'
  const project = (ms: number, list: string) =>
    `[input_filter]\nctrl_c_debounce_ms = ${ms}\nblock_sequences = ${list}`
  expect(keys(project(300, '["x", "y", "\\u001a"]'), { user })).toEqual([])
  expect(keys(project(299, '["x"]'), { user })).toEqual(['debounce:299', 'unblock:"\\u001a"'])
  expect(asks(project(0, '[]'), { user }).map(({ sentence }) => sentence)).toEqual([
    'let a second Ctrl+C of a browser through after 0 ms, where your own settings say 300',
    'let browsers type "\\u001a", which your own settings hold back',
    'let browsers type x, which your own settings hold back',
  ])
})
