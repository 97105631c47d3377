/** Arguments, environment and folders of `coop run` pass unchanged. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { expectRefusal, needed, nothingLeft, output, shell, startBox } from './support.ts'

/** Prints its arguments between markers, so that newlines and empty arguments show. */
const SHOW = ['sh', '-c', 'for a in "$@"; do printf "<%s>" "$a"; done', 'sh']
const KIB = 1024

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`arguments pass unchanged${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const odd = [
      '',
      ' ',
      'two words',
      "'single'",
      '"double"',
      '$HOME `id` $(id)',
      'a\nb\n',
      '\t\r\x1b[31m',
      'back\\slash',
      '*',
      '~',
      '--',
      '-t',
      '--help',
      '--version',
      'ünïcödé 你好 🐔',
      '',
    ]
    expect(output(await t.coop(['run', '--', ...SHOW, ...odd]))).toBe(odd.map((word) => `<${word}>`).join(''))
  })

  test.skipIf(can.missing)(`--cwd is the folder to start in${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(output(await t.coop(['run', '--cwd', '/usr/lib', 'pwd']))).toBe('/usr/lib\n')
    expectRefusal(await t.coop(['run', '--cwd', '/no/such', 'pwd']), {
      code: 125,
      sentence: /^coop: there is no folder \/no\/such in the box \[E_FAILED\]\n/,
      hint: /--cwd/,
    })
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`bytes that are no UTF-8 pass unchanged, or are refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const bytes = async (script: string): Promise<string> => output(await shell(t, `${script} | od -An -tx1`))
    expect(await bytes(`coop run -- printf %s $'\\xff\\xfe\\xef\\xbf\\xbd'`)).toBe(' ff fe ef bf bd\n')
    expect(await bytes(`coop run -e V=$'\\xe9' -- sh -c 'printf %s "$V"'`)).toBe(' e9\n')
    const named = `echo hi >$'caf\\xe9'; coop exec -- cat $'caf\\xe9'`
    expect(output(await shell(t, named))).toBe('hi\n')
    const copied = `coop cp $'caf\\xe9' :/tmp/$'\\xe8' && coop cp :/tmp/$'\\xe8' $'\\xea' && cat $'\\xea'`
    expect(output(await shell(t, copied))).toBe('hi\n')
    const folder = `mkdir $'\\xe9' && cd $'\\xe9'`
    expect(output(await shell(t, `${folder} && coop exec pwd | od -An -tx1`))).toMatch(/ 2f e9 0a\n$/)
    const refused = [
      [`run -w $'\\xe9' true`, 125],
      [`-d -n other -w $'\\xe9'`, 1],
    ] as const
    for (const [command, code] of refused)
      expect(await shell(t, `coop ${command}`)).toMatchObject({
        code,
        stderr: expect.stringMatching(/name of the folder .* is not UTF-8 \[E_WORKSPACE\]\nhint: /),
      })
  })

  test.skipIf(can.missing)(
    `flags after the command belong to it, with and without --${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('file.txt', '')
      expect(output(await t.coop(['run', 'ls', '-la']))).toMatch(/^total \d+\n[\s\S]*file\.txt\n$/)
      expect(output(await t.coop(['run', '--', 'ls', '-1', '--', 'file.txt']))).toBe('file.txt\n')
      expect(output(await t.coop(['run', 'echo', '--help', '-n', '--plan']))).toBe('--help -n --plan\n')
      expect(output(await t.coop(['run', '--network', 'none', 'echo', '--network']))).toBe('--network\n')
    },
  )

  test.skipIf(can.missing)(`many arguments and a big environment pass${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const words = Array.from({ length: 200 }, (_, n) => `${n}:`.padEnd(KIB, 'x'))
    const count = ['sh', '-c', 'echo $#; printf %s "$@" | wc -c', 'sh']
    expect(output(await t.coop(['run', '--', ...count, ...words]))).toBe(`200\n${200 * KIB}\n`)
    const env = Object.fromEntries(words.map((word, n) => [`BIG_${n}`, word]))
    const flags = Object.keys(env).flatMap((name) => ['-e', name])
    const measure = ['sh', '-c', 'env | grep -c ^BIG_; env | grep ^BIG_ | wc -c']
    const bytes = Object.entries(env).reduce((sum, [name, value]) => sum + name.length + value.length + 2, 0)
    expect(output(await t.coop(['run', ...flags, '--', ...measure], { env }))).toBe(`200\n${bytes}\n`)
  })

  test.skipIf(can.missing)(`too many arguments are refused with a sentence${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const words = Array.from({ length: 12 }, () => 'x'.repeat(100 * KIB))
    const arguments_ = await t.coop(['run', '--', 'true', ...words])
    expect(arguments_).toMatchObject({ code: 125, stdout: '' })
    expect(arguments_.stderr).toMatch(/^coop: .*(too (big|large|long)|at most)/)
    const env = Object.fromEntries(words.map((word, n) => [`BIG_${n}`, word]))
    const flags = Object.keys(env).flatMap((name) => ['-e', name])
    const environment = await t.coop(['run', ...flags, '--', 'true'], { env })
    expect(environment).toMatchObject({ code: 125, stdout: '' })
    expect(environment.stderr).toMatch(/^coop: .*(too (big|large|long)|at most)/)
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a big environment of the caller does no harm${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const env = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`BIG_${n}`, 'x'.repeat(100 * KIB)]))
    expect(output(await t.coop(['run', '--', 'sh', '-c', 'env | grep -c BIG_; :'], { env }))).toBe('0\n')
  })

  test.skipIf(can.missing)(`-e sets variables, by value or by name${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const flags = ['-e', 'A=1', '--env', 'B=two words=x', '-eC=', '-e', 'FROM_HERE', '--env=D=ü']
    const script = 'for n in A B C D FROM_HERE NOT; do echo "$n=$(printenv $n || echo unset)"; done'
    const env = { FROM_HERE: 'here', NOT: 'asked for' }
    expect(output(await t.coop(['run', ...flags, 'sh', '-c', script], { env }))).toBe(
      'A=1\nB=two words=x\nC=\nD=ü\nFROM_HERE=here\nNOT=unset\n',
    )
  })

  test.skipIf(can.missing)(`a command runs in the workspace, at any path${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const odd = t.folder('home/a folder: with, odd \\ "names" & 你好')
    t.write(`${odd}/here.txt`, 'found\n')
    expect(output(await t.coop(['run', '--', 'sh', '-c', 'pwd; cat here.txt'], { cwd: odd }))).toBe(
      `${odd}\nfound\n`,
    )
    expect(output(await t.coop(['run', '-w', odd, '--', 'cat', 'here.txt']))).toBe('found\n')
    expect(output(await t.coop(['run', '-w', '.', '--', 'pwd'], { cwd: odd }))).toBe(`${odd}\n`)
  })

  test.skipIf(can.missing)(`--plan makes neither volumes nor images${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write(
      join(t.configDir, 'default.toml'),
      '[sandbox]\nmounts = ["kept:/mnt/kept"]\n[session]\npersist = [".cache"]\n',
    )
    const made = (): string[] =>
      ['volumes', 'images'].flatMap((name) =>
        existsSync(join(t.dataDir, name)) ? readdirSync(join(t.dataDir, name)) : [],
      )
    const before = made() // at most skeletons of the host that tests share
    expect(before.filter((name) => !name.startsWith('host-'))).toEqual([])
    const planned = JSON.parse(output(await t.coop(['run', '--plan', '--', 'true'])))
    expect(made()).toEqual(before)
    // The run makes everything that was planned.
    output(await t.coop(['run', '--', 'touch', '/mnt/kept/here']))
    for (const name of [/^volume-kept$/, /-cache$/, /^host-/])
      expect(made()).toContainEqual(expect.stringMatching(name))
    const sources = (plan: { steps: { do: string; at?: string; source?: { path: string } }[] }): unknown[] =>
      plan.steps.flatMap((step) => (step.do === 'bind' ? [[step.at, step.source?.path]] : []))
    const again = JSON.parse(output(await t.coop(['run', '--plan', '--', 'true'])))
    expect(sources(planned)).toEqual(sources(again))
    expect(sources(planned)).toHaveLength(3)
  })

  test.skipIf(can.missing)(`--plan prints the plan and makes nothing${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { stdout, code } = await t.coop(['run', '--plan', '-e', 'TOKEN=very-secret', '--', 'true'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ name: 'project' })
    expect(stdout).not.toContain('very-secret')
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a large environment of the caller is no obstacle${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write(join(t.configDir, 'default.toml'), '[env]\nMINE = "$WANTED"\n')
    await startBox(t)
    // 1.5 MB: more than a message to the daemon holds.
    const large = 'v=$(head -c 125000 /dev/zero | tr "\\0" x); for n in {1..12}; do export "BIG$n=$v"; done'
    const script = `export WANTED=yes LANG=C.UTF-8; ${large}`
    const show = `-- sh -c 'echo $MINE $LANG; env | grep -c BIG'`
    expect(await shell(t, `${script}; coop run ${show} | cat`)).toMatchObject({
      stdout: 'yes C.UTF-8\n0\n',
      stderr: '',
    })
    const again = `coop stop box && coop start box && coop restart box && coop exec -n box ${show}`
    expect((await shell(t, `${script}; ${again}`)).stdout).toMatch(/yes C.UTF-8\n0\n$/)
    // A command that is refused leaves no reader waiting.
    const flags =
      'flags=(); v=$(head -c 125000 /dev/zero | tr "\\0" x); for n in {1..12}; do flags+=(-e "BIG$n=$v"); done'
    const refused = await shell(t, `${flags}; coop run "\${flags[@]}" -- cat | cat`, {
      timeoutMs: 5_000,
    })
    expectRefusal(refused, { code: 125, sentence: /too large \(1 MiB/, hint: /in a file/ })
  })
})
