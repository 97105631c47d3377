/** The first steps of a newcomer: coop ignores nothing in silence, and every notice says what to do. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCommand } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { everyone, expectRefusal, needed, output, shell, shellTerminal } from './support.ts'

const NO_EFFECT: readonly (readonly [table: string, line: string])[] = [
  ['workspace', 'writable = [".vscode"]'],
  ['limits', 'cpus = "2"'],
  ['network', 'ports = ["3000"]'],
]

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`a setting without effect is refused in every layer${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const files = [join(t.workspace, 'coop.toml'), join(t.configDir, 'default.toml')]
    for (const file of files) {
      for (const [table, line] of NO_EFFECT) {
        t.write(file, `[${table}]\n${line}\n`)
        const key = `${table}.${line.split(' ')[0]}`
        for (const [args, code] of [
          [['config'], 7],
          [['run', '--trust', 'true'], 125],
        ] as const) {
          const { stderr, ...result } = await t.coop(args)
          expect({ key, ...result }).toMatchObject({ key, code })
          expect(stderr).toStartWith(`coop: ${file}:2: ${key} has no effect in this version of coop`)
        }
      }
      t.write(file, '')
    }
    expectRefusal(await t.coop(['run', '--network', 'veth', 'true']), {
      code: 125,
      sentence: /"veth" is not part/,
      hint: /none/,
    })
    expect(output(await t.coop(['run', 'echo', 'runs']))).toBe('runs\n') // with nothing of that
  })

  test.skipIf(can.missing)(`without an agent it says so, and how to get one${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { code, stderr } = await t.coop(['-d', '-n', 'box'])
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /^coop: no agent is installed \(claude, .*\), so the box runs bash; install one outside of the box, .*--agent CMD$/m,
    )
    // The way out that it names: the agent is installed, and the box starts again.
    t.write(join(t.home, '.local/bin/claude'), '#!/bin/sh\nexec sleep infinity\n', 0o755)
    output(await t.coop(['stop', '-f', 'box']))
    expect(output(await t.coop(['-d', '-n', 'box']))).toContain('claude is running again in the box box')
    output(await t.coop(['kill', '-f', 'box']))
    expect((await t.coop(['-d', '--agent', 'sleep infinity'])).stderr).not.toContain('agent')
  })

  test.skipIf(can.missing || !hasCommand('tmux'))(
    `a new box explains itself in its terminal${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const first = await t.coopTerminal(['-n', 'box'], { columns: 80 })
      const screen = await first.waitFor(/--agent CMD\]/)
      const words = screen.replace(/\n */g, ' ')
      expect(words).toStartWith(
        `[coop: bash runs in the box box, with the folder ${t.workspace}, your programs and your network, but not your home,`,
      )
      expect(words).toContain(
        'other projects. Ctrl+] leaves it running, coop comes back, coop kill ends it.]',
      )
      expect(words).toMatch(
        /\[coop: no agent is installed \(claude, .*npm install -g .*, and then run coop stop && coop;/,
      )
      expect(Math.max(...screen.split('\n').map((line) => line.length))).toBeLessThan(80)
      await first.keys('C-]')
      expect(await first.exited()).toBe(0)
      // Not again, and not where no person looks.
      const again = await t.coopTerminal([])
      await again.waitFor(/bash runs in the box box/)
      expect((await again.screen({ history: true })).match(/runs in the box/g)).toHaveLength(1)
      const quiet = await t.coopTerminal(['-q', '-n', 'quiet', '--agent', 'sh -c "echo agent; exec cat"'])
      await quiet.waitFor(/agent/)
      expect(await quiet.screen({ history: true })).not.toContain('coop')
    },
  )

  test.skipIf(can.missing)(`a box without its repository says so${can.note}`, async () => {
    await using t = await scratch(invoker)
    t.folder('home/project/deep')
    const deep = { cwd: join(t.workspace, 'deep') }
    const told = async (options?: { cwd: string }) => {
      const run = await t.coop(['run', 'git', 'rev-parse', '--is-inside-work-tree'], options)
      const plan = output(await t.coop(['run', '--plan', 'true'], options))
      return { code: run.code, stderr: run.stderr, notes: (JSON.parse(plan) as { notes: string[] }).notes }
    }
    const below = await told(deep)
    expect(below.code).not.toBe(0)
    const sentence = `git does not work in this box: ${deep.cwd} belongs to the repository ${t.workspace}, and`
    expect(below.stderr).toContain(`coop: ${sentence}`)
    expect(below.notes).toContainEqual(expect.stringContaining(sentence))
    const whole = await told() // where it works nothing is said
    expect(whole).toMatchObject({ code: 0, stderr: '' })
    // The way out that the notice names works.
    const inside = ['run', '-w', t.workspace, 'git', '-C', 'deep', 'rev-parse', '--is-inside-work-tree']
    expect(await t.coop(inside, deep)).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('settings', () => {
  const can = needed(ordinary, 'tmux')
  const skip = can.missing
  const config = async (t: Scratch) => output(await t.coop(['config']))

  test.skipIf(skip)(
    `the hints for a first box are shown once, and only in a terminal${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      const hint = /since this is your first box/
      const ends = async () => output(await t.coop(['kill', '-f', '--all']))
      // Nobody reads these, so they use nothing up.
      const pipes = [['-d'], ['run', 'true'], ['ls', '--json'], ['logs']] as const
      for (const args of pipes) {
        const { stdout, stderr } = await t.coop(args)
        expect(stdout + stderr).not.toMatch(hint)
      }
      await ends()
      const first = await t.coopTerminal([], { columns: 80 })
      expect((await first.waitFor(/coop --help shows the rest/)).match(hint)).toHaveLength(1)
      await first.keys('C-]')
      expect(await first.exited()).toBe(0)
      await ends()
      output(await t.coop(['system', 'shutdown'])) // so that the daemon cannot remember it
      const second = await t.coopTerminal([], { columns: 80 })
      await second.waitFor(/^coop@.*#/m)
      expect(await second.screen({ history: true })).not.toMatch(hint)
    },
  )

  test.skipIf(skip)(`coop config accepts each line that coop init writes${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('package.json', '{}')
    output(await t.coop(['init']))
    const lines = readFileSync(join(t.workspace, 'coop.toml'), 'utf8').split('\n')
    const keys = lines.flatMap((line, at) => (/^# [a-z_]+ = /.test(line) ? [at] : []))
    expect(keys.length).toBeGreaterThan(15)
    for (const line of ['# memory = ""', '# writable = []', '[serve]']) expect(lines).not.toContain(line)
    for (const at of keys) {
      const open = lines.map((line, index) => (index === at ? line.slice(2) : line))
      t.write('coop.toml', open.join('\n'))
      expect(await config(t)).toContain(`coop.toml:${at + 1}`)
    }
    t.write('coop.toml', lines.map((line) => line.replace(/^# (?=[a-z_]+ = )/, '')).join('\n'))
    await config(t)
    expect(output(await t.coop(['run', 'echo', 'runs']))).toBe('runs\n')
  })

  test.skipIf(skip)(`coop config of no folder is refused${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const file = t.write('file', '')
    for (const path of ['/nope', file])
      expectRefusal(await t.coop(['config', '-w', path]), { code: 1, sentence: /nope|file/, hint: /-w DIR/ })
  })

  test.skipIf(skip)(`a variable that is not set or not expanded is told of${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const unset = 'coop: -e NOT_THERE is left out: NOT_THERE is not set here\n'
    expect(await t.coop(['run', '-e', 'NOT_THERE', 'true'])).toMatchObject({ code: 0, stderr: unset })
    output(await t.coop(['-d', '--agent', 'sleep infinity']))
    expect(await t.coop(['exec', '-e', 'NOT_THERE', 'true'])).toMatchObject({ code: 0, stderr: unset })
    expect((await t.coop(['exec', '-e', 'HOME', '-e', 'B=', 'true'])).stderr).toBe('')
    const braces = '$' + '{HOME}'
    t.write('coop.toml', `[env]\nPORT = "${braces}"\nDEBUG = "$HOME/bin"\nTZ = "pa$word"\n`)
    const { code, stdout, stderr } = await t.coop(['run', '--trust', 'printenv', 'PORT', 'DEBUG', 'TZ'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${braces}\n$HOME/bin\npa$word\n` })
    expect(stderr).toMatch(
      /coop\.toml:2: env\.PORT is used literally.*\n.*coop\.toml:3: env\.DEBUG is used literally/,
    )
    expect(stderr).not.toContain('env.TZ')
    expect(stderr).not.toContain('HOME}') // the value may be a secret
  })

  test.skipIf(skip)(`what is not seen is shown by coop config${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('coop.toml', '[sandbox]\nargs = ["a\u{e0041}b\u200bc\u202ed"]\n')
    const [head = '', ...lines] = (await config(t)).split('\n')
    const values = lines.map((line) => line.slice(head.indexOf('VALUE'), head.indexOf('FROM')).trim())
    expect(values.join('')).toContain('a\\u{e0041}b\\u{200b}c\\u202ed')
    const { stdout } = await shell(t, 'coop config --json')
    expect(stdout).toContain('a\\udb40\\udc41b\\u200bc\\u202ed')
  })

  test.skipIf(skip)(`steps for the host's image are refused before anybody is asked${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('coop.toml', '[sandbox]\nnested = true\nsetup = ["true"]\n')
    const expected = { sentence: /sandbox\.setup needs an image of layers/, hint: /debian/ }
    expectRefusal(await t.coop(['-d', '--agent', 'sleep infinity']), { code: 5, ...expected })
    expectRefusal(await t.coop(['trust']), { code: 5, ...expected })
  })

  test.skipIf(skip)(`coop trust says what a no means, and repeats nothing${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('coop.toml', '[sandbox]\nnested = true\n')
    const { code, stderr } = await t.coop(['trust'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^coop: 1 thing of \S+ is not accepted \[E_TRUST\]\nhint: accept without a question: coop trust --yes\n$/,
    )
    const terminal = await shellTerminal(t, 'coop trust; echo "CODE $?"; exec cat', { columns: 150 })
    await terminal.waitFor(/Accept it\?/)
    await terminal.line('n')
    const screen = await terminal.waitFor(/CODE 1/)
    expect(screen).toContain('nothing was accepted: you have said no')
    expect(screen).not.toContain('nothing was started')
  })
})
