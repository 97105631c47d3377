/** Finding boxes and ending them: those of `coop run` too, several at once, and in a narrow terminal. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, expectRefusal, finalScreen, needed, output, startBox } from './support.ts'

interface Listed {
  readonly name: string
  readonly state: string
}
const listed = async (t: Scratch, ...flags: readonly string[]) =>
  (JSON.parse(output(await t.coop(['ls', '--json', ...flags]))) as Listed[]).map(({ name, state }) => [
    name,
    state,
  ])

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`a box of coop run is found by its name while it runs${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const run = t.startCoop(['run', 'sleep', 'infinity'])
    await waitUntil(async () => (await listed(t, '-a')).length === 2, 'the box of coop run')
    expect(await listed(t, '-a')).toContainEqual(['project-run', 'run'])
    expect(await listed(t)).toEqual([['box', 'running']]) // the other ones are what one comes back to
    expect(output(await t.coop(['ls', '-a']))).toMatch(/^project-run .* host +- +run /m)
    const status = output(await t.coop(['status', 'project-run']))
    expect(status).toMatch(/^state +runs a command of coop run, and is removed when that ends$/m)
    expect(output(await t.coop(['kill', '-f', 'project-run']))).toBe('the box project-run is gone\n')
    expect((await run.finished()).code ?? 0).toBeGreaterThan(0)
    expect(await listed(t, '-a')).toEqual([['box', 'running']])
  })

  test.skipIf(can.missing)(`several boxes are ended at once, or none${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const name of ['one', 'two', 'three']) await startBox(t, { name })
    expectRefusal(await t.coop(['kill', '-f', 'one', 'twoo']), {
      code: 3,
      sentence: /there is no box named twoo/,
      hint: /coop ls/,
    })
    expect(await listed(t)).toHaveLength(3)
    const gone = output(await t.coop(['kill', '-f', 'two', 'one', 'two']))
    expect(gone).toBe('the box two is gone\nthe box one is gone\n')
    expect(await listed(t)).toEqual([['three', 'running']])
  })
})

describe('words', () => {
  const can = needed(ordinary, 'tmux')
  const skip = can.missing

  test.skipIf(skip)(`a table fits a terminal of 50 columns${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const workspace = t.folder(`home/${'deep-'.repeat(8)}folder`)
    await startBox(t, { name: 'a-box', flags: ['-w', workspace] })
    const lines = (await finalScreen(t, 'ls', { columns: 50 })).split('\n')
    expect(lines[0]).toMatch(/^NAME +WORKSPACE +AGENT +STATE/)
    expect(lines[1]).toMatch(/^a-box +~\/deep-\S*… +sleep +running/)
    expect(lines[2]).toBe('CODE 0')
    // The longest key and the origin need 51 columns with a value of 8.
    const settings = (await finalScreen(t, 'config', { columns: 51 })).split('\n')
    expect(settings.slice(0, -1).filter((line) => !/^(?:KEY|[a-z_]+\.| {16})/.test(line))).toEqual([])
  })

  test.skipIf(skip)(`in a pipe tables have 80 columns, and nothing is left out${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const deep = 'deep-'.repeat(20)
    const workspace = t.folder(`home/${deep}folder`)
    t.write(
      join(t.configDir, 'default.toml'),
      `[sandbox]\nmounts = ["${'volume-'.repeat(8)}:/srv/${deep}", "~/${deep}folder:~/x"]\n`,
    )
    const name = 'long-name-'.repeat(4)
    await startBox(t, {
      name,
      agent: `sh -c ': ${'word '.repeat(30)}; sleep infinity'`,
      flags: ['-w', workspace],
    })
    output(await t.coop(['snapshot', 'create', name, 'snap'.repeat(10), '--note', 'why '.repeat(30)]))
    for (const words of [
      'ls',
      'ls -a',
      `status ${name}`,
      'volume ls',
      'image ls',
      'snapshot ls',
      'system df',
      'config',
      'trust ls',
    ]) {
      const text = output(await t.coop(words.split(' ')))
      const [table = ''] = text.split(/^[A-Z_]+=/m) // status ends with variables, as they are
      expect({ words, wide: table.split('\n').filter((line) => line.length > 80) }).toEqual({
        words,
        wide: [],
      })
    }
    const [head = '', ...lines] = output(await t.coop(['ls'])).split('\n')
    expect(head).toEndWith('MEMORY')
    const column = (from: string, to: string) =>
      lines.map((line) => line.slice(head.indexOf(from), head.indexOf(to)).trim()).join('')
    expect(column('NAME', 'WORKSPACE')).toBe(name)
    expect(column('WORKSPACE', 'IMAGE')).toBe(`~/${deep}folder`)
  })

  test.skipIf(skip)(`JSON has everything whole${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const workspace = t.folder(`home/${'deep-'.repeat(20)}folder`)
    await startBox(t, { name: 'a-box', flags: ['-w', workspace] })
    expect(output(await t.coop(['ls', '--json']))).toContain(workspace)
    expect(output(await t.coop(['status', 'a-box', '--json']))).toContain(workspace)
  })

  test.skipIf(skip)(`the prompt does not stand behind the last line of logs${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const agent = String.raw`sh -c 'printf "first\\nlast\\033[0m"; exec sleep infinity'`
    await startBox(t, { agent })
    await waitUntil(async () => output(await t.coop(['logs'])).includes('last'), 'its output')
    expect(await finalScreen(t, 'logs')).toBe('first\nlast\nCODE 0')
    expect(output(await t.coop(['logs']))).toBe('first\nlast') // a pipe gets what there is
    await startBox(t, {
      name: 'whole',
      agent: String.raw`sh -c 'printf "ends\\n\\033[0m"; exec sleep infinity'`,
    })
    await waitUntil(async () => output(await t.coop(['logs', 'whole'])).includes('ends'), 'its output')
    expect(await finalScreen(t, 'logs whole')).toBe('ends\nCODE 0')
  })

  test.skipIf(skip)(`words of other programs are understood${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    for (const [words, meant] of [
      ['list', 'coop ls'],
      ['ps', 'coop ls'],
      ['rm', 'coop kill'],
      ['image list', 'coop image ls'],
      ['volume remove', 'coop volume rm'],
      ['trust list', 'coop trust ls'],
    ] as const) {
      const { stderr } = await t.coop(words.split(' '))
      expect(stderr).toEndWith(`\nhint: did you mean ${meant}?\n`)
    }
    for (const args of [
      ['image', 'inspect', 'host'],
      ['image', 'rm', 'host'],
      ['image', 'pull', 'rootfs:/'],
    ])
      expectRefusal(await t.coop(args), { code: 5, sentence: /is not a stored image/, hint: /image ls/ })
    expect(output(await t.coop(['exec', '--help']))).toContain('KEY alone takes its value here')
    expect(await listNothing(t)).toContain('there are no boxes')
  })

  const listNothing = async (t: Scratch) => (await t.coop(['ls', '-a'])).stderr
})
