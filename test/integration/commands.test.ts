/** The command line itself: help, listings, `init`, `config`, `status`, and their output. */
import { describe, expect, test } from 'bun:test'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needs, needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { boxes, daemonPid, expectRefusal, finalScreen, needed, output, shell, startBox } from './support.ts'

const COMMANDS = [
  'attach',
  'run',
  'exec',
  'shell',
  'ls',
  'status',
  'restart',
  'kill',
  'init',
  'config',
  'system',
]
const BELOW_SYSTEM = ['status', 'logs', 'shutdown']
const ESCAPE = '\x1b['

test('coop --help, -h and help name every command', async () => {
  await using t = await scratch(ordinary, { git: false })
  for (const flag of ['--help', '-h', 'help']) {
    const text = output(await t.coop([flag]))
    for (const command of COMMANDS) expect(text).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(text).toMatch(/^Examples:\n {2}coop/m)
  }
})

test('every command has a help with an example of its own', async () => {
  await using t = await scratch(ordinary, { git: false })
  for (const name of [...COMMANDS, ...BELOW_SYSTEM.map((sub) => `system ${sub}`)]) {
    for (const flag of ['--help', '-h']) {
      const text = output(await t.coop([...name.split(' '), flag]))
      expect(text).toContain(`Usage: coop ${name}`)
      expect(text).toMatch(new RegExp(`^Examples:\\n(?:  .*\\n)*?  .*coop ${name}`, 'm'))
      expect(text.split('\n').filter((line) => line.length > 110)).toEqual([])
    }
  }
  expect(await daemonPid(t)).toBeUndefined()
})

test('coop --version is one line: the version of package.json, the commit, its day, the target', async () => {
  await using t = await scratch(ordinary, { git: false })
  const { version } = JSON.parse(readFileSync(join(import.meta.dir, '../../package.json'), 'utf8')) as {
    version: string
  }
  expect(output(await t.coop(['--version']))).toMatch(
    new RegExp(
      `^coop ${version} \\(([0-9a-f]{12}(-dirty)? \\d{4}-\\d\\d-\\d\\d )?linux-(x64|arm64)(-musl)?\\)\\n$`,
    ),
  )
})

test('mistyped commands and flags: the nearest real one, exit 2', async () => {
  await using t = await scratch(ordinary, { git: false })
  const meant: [string[], RegExp][] = [
    [['rnu', 'true'], /coop run/],
    [['statsu'], /coop status/],
    [['atach'], /coop attach/],
    [['system', 'statu'], /coop system status/],
    [['run', '--netwrok', 'none', '--', 'true'], /--network/],
    [['ls', '--jsn'], /--json/],
    [['--agnet', 'x'], /--agent/],
    [['kill', '--al'], /--all/],
    [['exec', '--nmae', 'x', 'true'], /--name/],
  ]
  for (const [args, hint] of meant)
    expectRefusal(await t.coop(args), { code: 2, sentence: /there is no (command|option)/, hint })
  for (const args of [
    ['frobnicate'],
    ['system'],
    ['run'],
    ['ls', 'extra'],
    ['run', '-n'],
    ['ls', '--json=yes'],
    ['ls', '-z'],
  ])
    expectRefusal(await t.coop(args), { code: 2, sentence: /./, hint: /coop|-/ })
  expect(await daemonPid(t)).toBeUndefined()
})

test('init writes a coop.toml that is valid, and never overwrites', async () => {
  await using t = await scratch(ordinary, { git: false })
  t.write('package.json', '{}')
  t.write('../bin/codex', '#!/bin/sh\n', 0o755)
  const env = { PATH: `${join(t.home, 'bin')}:${t.env.PATH}` }
  const said = output(await t.coop(['init'], { env })).split('\n')
  expect(said).toEqual([
    `wrote ${join(t.workspace, 'coop.toml')}`,
    '  found: JavaScript, npm',
    expect.stringMatching(/^ {2}installed on this machine: .*codex/),
    '',
  ])
  const file = join(t.workspace, 'coop.toml')
  const written = readFileSync(file, 'utf8')
  expect(written).toMatch(/^#/m)
  expect(written).toMatch(/^\[sandbox\]$/m)
  expect(statSync(file).uid).toBe(ordinary.uid)
  output(await t.coop(['config']))
  expectRefusal(await t.coop(['init']), { code: 2, sentence: /exists already/, hint: /./ })
  expect(readFileSync(file, 'utf8')).toBe(written)
  // It does not write through a link either, not even a dangling one.
  const other = t.folder('home/other')
  output(await t.run(['ln', '-s', '../nowhere', 'coop.toml'], { cwd: other }))
  expect((await t.coop(['init'], { cwd: other })).code).toBe(2)
  expect((await t.run(['test', '-e', '../nowhere'], { cwd: other })).code).toBe(1)
})

test('config shows each value with its source', async () => {
  await using t = await scratch(ordinary, { git: false })
  t.write(join(t.configDir, 'default.toml'), '[sandbox]\nshell = "sh"\nuser = "global"\n')
  t.write('coop.toml', '[sandbox]\nuser = "project"\n[env]\nTOKEN = "very-secret"\n')
  const rows = JSON.parse(output(await t.coop(['config', '--json', '--network', 'none']))) as {
    key: string
    value: unknown
    origin: string
  }[]
  const of = (key: string) => rows.find((row) => row.key === key)
  expect(of('sandbox.shell')).toMatchObject({
    value: 'sh',
    origin: expect.stringMatching(/default\.toml/),
  })
  expect(of('sandbox.user')).toMatchObject({
    value: 'project',
    origin: expect.stringMatching(/coop\.toml/),
  })
  expect(of('session.persist')).toMatchObject({ value: ['.claude'], origin: 'built-in' })
  expect(of('limits.pids')).toMatchObject({ value: 4096 })
  expect(of('env.TOKEN')).toMatchObject({ value: null })
  expect(of('network.mode')).toMatchObject({
    value: 'none',
    origin: expect.stringMatching(/--network|flag/),
  })
  expect(of('sandbox.image')).toMatchObject({
    value: expect.stringContaining('host'),
    origin: expect.stringMatching(/built-in|default/),
  })
  const text = output(await t.coop(['config']))
  expect(text).toMatch(/^KEY +VALUE +FROM\n/)
  expect(text).not.toContain('very-secret')
  expect(await daemonPid(t)).toBeUndefined()
})

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)
  const tmux = needs('tmux')

  test.skipIf(can.missing)(`ls lists the boxes, for people and for programs${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const none = await t.coop(['ls'])
    expect(none).toMatchObject({ code: 0, stdout: '' })
    expect(none.stderr).toMatch(/no boxes/)
    expect(await boxes(t)).toEqual([])
    await startBox(t, { name: 'first' })
    const other = t.folder('home/other')
    await startBox(t, { name: 'second', agent: 'sh -c "sleep 1000"', flags: ['-w', other] })
    const [head, ...lines] = output(await t.coop(['ls']))
      .trimEnd()
      .split('\n')
    expect(head).toMatch(/^NAME +WORKSPACE +IMAGE +AGENT +STATE +PTYS +CLIENTS +AGE +MEMORY$/)
    expect(lines.toSorted()).toEqual([
      expect.stringMatching(/^first +~\/project +host +sleep +running +1 +0 +\d+s +[\d.]+[KM]$/),
      expect.stringMatching(/^second +~\/other +host +sh +running +1 +0 +\d+s +[\d.]+[KM]$/),
    ])
    const listed = (await boxes(t)).toSorted((a, b) => a.name.localeCompare(b.name))
    expect(listed).toMatchObject([
      { name: 'first', workspace: t.workspace, state: 'running', ptys: [{ id: 0, state: 'running' }] },
      { name: 'second', workspace: other, agent: 'sh', clients: 0 },
    ])
    expect(Math.abs(Date.now() - (listed[0]?.created ?? 0))).toBeLessThan(60_000)
  })

  test.skipIf(can.missing)(`status shows one box, values of variables hidden${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { flags: ['-e', 'TOKEN=very-secret', '--network', 'none'] })
    const text = output(await t.coop(['status']))
    expect(text).toMatch(/^box\n/)
    expect(text).toMatch(/^workspace +\S+\/project$/m)
    expect(text).toMatch(/^network +none$/m)
    expect(text).toMatch(/^ids +a (range|single one): 0/m)
    expect(text).toMatch(/<-->.*project/)
    expect(text).not.toContain('very-secret')
    const json = output(await t.coop(['status', 'box', '--json'], { cwd: '/' }))
    expect(JSON.parse(json)).toMatchObject({ name: 'box', network: 'none', user: { name: 'coop' } })
    expect(json).not.toContain('very-secret')
    expectRefusal(await t.coop(['status', 'other']), { code: 3, sentence: /other/, hint: /coop ls/ })
  })

  test.skipIf(can.missing)(`errors of --json are JSON on stdout${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { code, stdout, stderr } = await t.coop(['status', 'nowhere', '--json'])
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'E_NO_BOX', message: expect.stringContaining('nowhere'), hint: expect.any(String) },
    })
  })

  test.skipIf(can.missing)(`kill ends one box or all, with a message${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { name: 'one' })
    await startBox(t, { name: 'two', flags: ['-w', t.folder('home/two')] })
    await startBox(t, { name: 'three', flags: ['-w', t.folder('home/three')] })
    expect(output(await t.coop(['kill']))).toContain('one')
    expect((await boxes(t)).map((box) => box.name).toSorted()).toEqual(['three', 'two'])
    expect((await t.coop(['kill', '--all', 'two'])).code).toBe(2)
    expect((await t.coop(['kill', 'one'])).code).toBe(3)
    expect(output(await t.coop(['kill', '--all']))).toContain('2 boxes')
    expect(await boxes(t)).toEqual([])
  })

  test.skipIf(can.missing)(`coop chooses none of several boxes of a folder${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { name: 'one' })
    await startBox(t, { name: 'two' })
    const refused = { code: 2, sentence: /several boxes: one, two \[E_USAGE\]$/m, hint: /name one/ }
    for (const args of [
      ['kill'],
      ['stop', '.'],
      ['restart'],
      ['snapshot', 'restore', 'x'],
      ['exec', 'true'],
      ['-d'],
    ])
      expectRefusal(await t.coop(args), refused)
    expectRefusal(await t.coop(['status'], { cwd: t.folder('home/project/below') }), refused)
    expect(await boxes(t)).toHaveLength(2)
    output(await t.coop(['-d', '-n', 'two']))
    output(await t.coop(['kill', 'two']))
    expect(output(await t.coop(['kill']))).toContain('one')
  })

  test.skipIf(can.missing)(
    `a box below another one's folder is made, with a message${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { name: 'above' })
      const cwd = t.folder('home/project/below')
      const first = await t.coop(['-d', '--agent', 'sleep infinity'], { cwd })
      expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/in the box below/) })
      expect(first.stderr).toMatch(
        /^coop: this is a new box.* the box above has all of .*: coop attach above$/m,
      )
      const above = /box above/
      expect((await t.coop(['-d'], { cwd })).stderr).not.toMatch(above)
      // A folder or a name on the command line decides.
      const asked = await t.coop(['-d', '-w', t.folder('home/project/asked'), '--agent', 'sleep infinity'])
      expect(asked.stderr).not.toMatch(above)
      const named = await t.coop(['create', 'named', '--agent', 'sleep infinity'], { cwd })
      expect(named.stderr).not.toMatch(above)
    },
  )

  test.skipIf(can.missing)(`create is coop -d -n, with the same flags${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const quiet = await t.coop(['create', '-q', 'mine', '--agent', 'sleep infinity'])
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: expect.not.stringMatching(/box mine/) })
    const again = await t.coop(['create', '-v', 'mine'])
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/running already in the box mine/) })
    expect(again.stderr).toMatch(/^box mine: sleep in .*, image host$/m)
  })

  test.skipIf(can.missing || tmux.missing)(
    `a mistyped sub-command of shell is no box, and the nearest is suggested${can.note}${tmux.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      expect(await finalScreen(t, 'shell lst')).toMatch(
        /no box named lst[\s\S]*did you mean coop shell ls\?\nCODE 3$/,
      )
      const many = {
        code: 2,
        sentence: /unexpected argument "1"/,
        hint: /did you mean coop shell attach\?/,
      }
      expectRefusal(await t.coop(['shell', 'attahc', '1']), many)
    },
  )

  test.skipIf(can.missing)(`kill gives programs time to save, -f does not${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const agent = t.write(
      'agent.sh',
      '#!/bin/sh\ntrap "sleep 0.3; echo saved >saved; exit" TERM\necho >ready\nwhile :; do sleep 0.02; done\n',
      0o755,
    )
    const wait = 'for n in $(seq 500); do test -e ready && exit; sleep 0.02; done; exit 1'
    await startBox(t, { agent })
    output(await t.run(['sh', '-c', wait]))
    output(await t.coop(['kill']))
    expect(readFileSync(join(t.workspace, 'saved'), 'utf8')).toBe('saved\n')
    output(await t.run(['rm', 'saved', 'ready']))
    await startBox(t, { agent })
    output(await t.run(['sh', '-c', wait]))
    output(await t.coop(['kill', '-f']))
    expect((await t.run(['test', '-e', 'saved'])).code).toBe(1)
  })

  test.skipIf(can.missing)(
    `coop -d prints a message, with -q none, and a second time starts nothing${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const first = await t.coop(['-d', '--agent', 'sleep infinity'])
      expect(first).toMatchObject({ code: 0 })
      expect(first.stdout).toMatch(/project[\s\S]*coop attach project[\s\S]*coop kill project/)
      expect(output(await t.coop(['-d']))).toMatch(/already/)
      expect(await t.coop(['-d', '-q'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
      expect(await boxes(t)).toHaveLength(1)
    },
  )

  test.skipIf(can.missing || tmux.missing)(
    `colours are for terminals that want them${can.note}${tmux.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      for (const args of [['ls'], ['status'], ['config'], ['--help'], ['system', 'status']])
        expect(output(await t.coop(args))).not.toContain(ESCAPE)
      expect((await t.coop(['attach', 'nowhere'])).stderr).not.toContain(ESCAPE)
      const colored = async (env: Record<string, string>) => {
        return (await finalScreen(t, 'ls', { env, escapes: true })).includes('\x1b[32m')
      }
      expect(await colored({})).toBe(true)
      expect(await colored({ NO_COLOR: '1' })).toBe(false)
      expect(await colored({ NO_COLOR: '' })).toBe(true)
      expect(await colored({ TERM: 'dumb' })).toBe(false)

      t.settings('[ui]\ntheme = "midnight"\n')
      const all = { COLORTERM: 'truecolor' }
      expect(await colored(all)).toBe(false)
      expect(await finalScreen(t, 'ls', { env: all, escapes: true })).toContain('\x1b[38;2;')
      expect(await finalScreen(t, 'ls', { env: { ...all, NO_COLOR: '1' }, escapes: true })).not.toContain(
        ESCAPE,
      )
    },
  )
})

describe.each(invokers)('as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })

  test.skipIf(can.missing)(
    `--recreate gives a box other options, and its files stay${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      output(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity', '-e', 'A=1', '-e', 'B=1']))
      output(await t.coop(['exec', '--', 'sh', '-c', 'echo kept >/etc/own']))
      const asked = ['-e', 'A=2', '--network', 'none', '--agent', 'sleep 1000']
      expect(output(await t.coop(['-d', '--recreate', ...asked]))).toMatch(
        /^sleep is running again in the box box /,
      )
      const show = 'cat /etc/own; echo $A$B; grep -c : /proc/net/dev; tr "\\0" " " </proc/2/cmdline'
      expect(output(await t.coop(['exec', '--', 'sh', '-c', show]))).toBe('kept\n21\n1\nsleep 1000 ')
      // The box keeps them, and the same options are no difference any more.
      output(await t.coop(['stop']))
      expect(output(await t.coop(['-d', ...asked]))).toMatch(/^sleep is running again/)
      expect(output(await t.coop(['exec', '--', 'sh', '-c', show]))).toBe('kept\n21\n1\nsleep 1000 ')
      // A box that cannot be as it was asked for stays as it is.
      expect((await t.coop(['-d', '--recreate', '--image', 'no.such/image'])).code).not.toBe(0)
      expect(output(await t.coop(['-d', ...asked]))).toMatch(/^sleep is running already/)
    },
  )

  test.skipIf(can.missing)(`coop -d says what became of an agent${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write(join(t.configDir, 'default.toml'), '[session]\nrestart_delay_ms = 0\n')
    output(await t.coop(['-d', '-n', 'box', '--agent', 'false']))
    await waitUntil(async () => (await t.coop(['ls'])).stdout.includes('crashed'), 'the crash loop')
    expectRefusal(await t.coop(['-d']), {
      code: 1,
      sentence: /^coop: false does not run in the box box: it ended five times .*\(exit code 1\)/,
      hint: /coop restart box/,
    })
    output(await t.coop(['stop']))
    expect(output(await t.coop(['-d']))).toMatch(/^false is running again in the box box/)
  })

  test.skipIf(can.missing)(`coop does not mistake one box for another${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    output(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity']))
    for (const [flag, value, has] of [
      ['--network', 'none', 'host'],
      ['--image', 'debian', 'host'],
      ['--agent', 'cat', 'sleep infinity'],
      ['--agent', 'sleep 5', 'sleep infinity'],
    ] as const)
      expectRefusal(await t.coop(['-d', flag, value]), {
        code: 1,
        sentence: new RegExp(`exists already, without ${flag} ${value} \\(it has ${has}\\)`),
        hint: /--recreate/,
      })
    const secret = await t.coop(['-d', '-e', 'TOKEN=very-secret'])
    expectRefusal(secret, { code: 1, sentence: /without -e TOKEN \(it has none\)/, hint: /--recreate/ })
    expect(secret.stderr).not.toContain('very-secret')
    expectRefusal(await t.coop(['-d', '-b']), { code: 1, sentence: /without -b/, hint: /--recreate/ })
    expect(output(await t.coop(['-d', '--network', 'host', '--agent', 'sleep infinity']))).toContain(
      'running already',
    )
    // As in a script whose variable is not set.
    for (const command of [['kill'], ['stop'], ['logs'], ['snapshot', 'create', '', 'x']])
      expectRefusal(await t.coop(command.length > 1 ? command : [...command, '']), {
        code: 2,
        sentence: /name of the box is empty/,
        hint: /coop ls/,
      })
    expect((await t.coop(['status'])).code).toBe(0)
  })

  test.skipIf(can.missing)(
    `exec starts in its caller's folder, if that is in the box${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('coop.toml', '[workspace]\npath = "/work"\n')
      output(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity']))
      const sub = t.folder('home/project/deep/sub')
      expect(output(await t.coop(['exec', 'pwd'], { cwd: sub }))).toBe('/work/deep/sub\n')
      expect(output(await t.coop(['exec', '-n', 'box', 'pwd'], { cwd: t.home }))).toBe('/work\n')
      expect(output(await t.coop(['exec', '--cwd', '/etc', 'pwd'], { cwd: sub }))).toBe('/etc\n')
    },
  )

  test.skipIf(can.missing)(`a workspace at a system folder of the box is refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const path of ['/', '/./', '/proc', '/proc/x/', '/etc', '/usr', '/work/../tmp']) {
      t.write('coop.toml', `[workspace]\npath = ${JSON.stringify(path)}\n`)
      expectRefusal(await t.coop(['run', 'true']), {
        code: 125,
        sentence: /workspace\.path must be/,
        hint: /./,
      })
    }
    t.write('coop.toml', '[workspace]\nmount = "sub"\n') // it would look as if the box had less in it
    expectRefusal(await t.coop(['run', 'true']), { code: 125, sentence: /no effect/, hint: /mount/ })
  })

  test.skipIf(can.missing)(`lost output is an error${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const full = await shell(t, 'coop ls --json >/dev/full')
    expect(full).toMatchObject({
      code: 1,
      stderr: 'coop: the output cannot be written (ENOSPC) [E_FAILED]\n',
    })
    expect((await shell(t, 'coop ls --json >&-')).code).toBe(0)
  })
})

describe.each(invokers)('run and exec as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })

  test.skipIf(can.missing)(
    `output that cannot be written ends the command with an error${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const said = 'coop: the output cannot be written (ENOSPC) [E_FAILED]\n'
      const full = (script: string) => shell(t, `coop run -- sh -c '${script}' >/dev/full`)
      expect(await full('echo hi')).toMatchObject({ code: 125, stderr: said })
      expect(await full('head -c 10M /dev/zero; exit 3')).toMatchObject({ code: 3, stderr: said })
    },
  )

  test.skipIf(can.missing)(`more arguments than a message holds are refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { code, stderr } = await shell(t, 'coop run -- true $(seq 80000)')
    expect({ code, stderr }).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/at most 65,536 words/),
    })
    expect((await shell(t, 'coop run -- true $(seq 20000)')).code).toBe(0)
  })
})
