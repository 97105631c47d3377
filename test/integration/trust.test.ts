/** `coop trust` and `--trust`: questions, answers and remembered acceptance for people; errors for scripts. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, expectRefusal, needed, output, shell, shellTerminal } from './support.ts'

const ASKING = '[sandbox]\nnested = true\n[env]\nTAKEN = "$HOST_SECRET"\n'
const WIDE = { columns: 150, env: { HOST_SECRET: 'value' } }
const SECRET = { env: { HOST_SECRET: 'value' } }
const stateFile = (t: Scratch) => join(t.dataDir, 'trust.json')

interface Info {
  readonly workspace: string
  readonly asks: readonly { readonly key: string; readonly sentence: string; readonly accepted: boolean }[]
}
const info = async (t: Scratch, ...args: readonly string[]) =>
  JSON.parse(output(await t.coop(['trust', '--json', ...args]))) as Info
const open = async (t: Scratch) =>
  (await info(t)).asks.filter(({ accepted }) => !accepted).map(({ key }) => key)

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux')

  test.skipIf(can.missing)(`on a terminal coop asks once, and then starts${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('coop.toml', `${ASKING}[session]\nauto_restart = false\n`)
    const agent = '--agent "sh -c \'echo got \\$TAKEN; exec sleep 1000\'"'
    const first = await shellTerminal(t, `coop ${agent}; echo "CODE $?"; exec cat`, WIDE)
    const question = await first.waitFor(/Accept this\? \[y\/N\]/)
    expect(question).toContain(
      `The project in ${t.workspace} wants to do 2 things that you have not accepted:`,
    )
    expect(question).toMatch(/^ {2}- make sandboxes inside of the box/m)
    expect(question).toMatch(/^ {2}- have your variable HOST_SECRET as TAKEN$/m)
    await first.line('n')
    expect(await first.waitFor(/CODE 1/)).toMatch(/nothing was started/)
    expect(output(await t.coop(['ls', '--json'])).trim()).toBe('[]')
    expect(existsSync(stateFile(t))).toBe(false)

    const second = await shellTerminal(t, `coop ${agent}`, WIDE)
    await second.waitFor(/Accept this\?/)
    await second.line('y')
    await second.waitFor(/got value/)
    output(await t.coop(['restart'], SECRET)) // coop does not ask again
    expect(await open(t)).toEqual([])
  })

  test.skipIf(can.missing)(`coop run asks before its input is touched${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('coop.toml', ASKING)
    const command = (name: string) => `coop run sh -c 'read line; echo "$TAKEN $line ${name}"'`
    // With a terminal of its own, and with pipes: the answer must not come from the command's input.
    const one = await shellTerminal(t, `${command('one')}; exec cat`, WIDE)
    await one.waitFor(/Accept this\?/)
    await one.line('yes')
    await waitUntil(async () => (await open(t)).length === 0, 'the answer')
    await one.line('typed')
    await one.waitFor(/value typed one/)
    output(await t.coop(['trust', 'revoke']))
    const two = await shellTerminal(t, `${command('two')} | cat; exec cat`, WIDE)
    await two.waitFor(/Accept this\?/)
    await two.line('y')
    await waitUntil(async () => (await open(t)).length === 0, 'the answer')
    await two.line('more')
    await two.waitFor(/value more two/)
  })

  test.skipIf(can.missing)(
    `without a terminal it fails with the way out, --trust is it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('coop.toml', ASKING)
      const hint = new RegExp(`coop trust -w ${t.workspace}; in scripts use --trust`)
      const sentence =
        /wants what you have not accepted: to make sandboxes .*; to have your variable HOST_SECRET as TAKEN \[E_TRUST\]$/m
      for (const args of [['-d'], ['create', 'it'], ['build']])
        expect({ args, ...(await refusal(t, args)) }).toMatchObject({ args, code: 1, isTold: true })
      expectRefusal(await t.coop(['run', 'true']), { code: 125, sentence, hint })
      // The plan only describes the box.
      const plan = output(await t.coop(['run', '--plan', 'true']))
      expect((JSON.parse(plan) as { notes: string[] }).notes).toContain(
        'not accepted yet (coop trust): to have your variable HOST_SECRET as TAKEN',
      )
      expect(output(await t.coop(['run', '--trust', 'printenv', 'TAKEN'], SECRET))).toBe('value\n')
      expect(output(await t.coop(['run', 'printenv', 'TAKEN'], SECRET))).toBe('value\n') // coop has remembered it
      expect(statSync(stateFile(t)).mode & 0o777).toBe(0o600)

      async function refusal(t: Scratch, args: readonly string[]) {
        const { code, stderr } = await t.coop(args)
        return { code, isTold: sentence.test(stderr) && hint.test(stderr) }
      }
    },
  )

  test.skipIf(can.missing)(`--trust of start and restart accepts new requests${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const agent = ['--agent', 'sleep infinity']
    t.write('coop.toml', '')
    output(await t.coop(['-d', '-n', 'box', ...agent]))
    t.write('coop.toml', '[env]\nTAKEN = "$HOST_SECRET"\n')
    expect((await t.coop(['restart'], SECRET)).code).toBe(1)
    output(await t.coop(['restart', '--trust'], SECRET))
    expect(output(await t.coop(['exec', 'printenv', 'TAKEN']))).toBe('value\n')
    output(await t.coop(['stop', '-f']))
    t.write('coop.toml', ASKING)
    expect((await t.coop(['start'], SECRET)).code).toBe(1)
    output(await t.coop(['start', '--trust'], SECRET))
    // The acceptance holds for a second box of the folder, too.
    output(await t.coop(['create', 'second', ...agent], SECRET))
  })
})

describe('coop trust', () => {
  const can = needed(ordinary, 'tmux')
  const skip = can.missing

  test.skipIf(skip)(`shows requests and accepted ones, and asks${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    expect(output(await t.coop(['trust']))).toMatch(/asks for nothing that needs your consent\n$/)
    t.write('coop.toml', '[sandbox]\nnested = true\n')
    output(await t.coop(['trust', '--yes']))
    t.write('coop.toml', ASKING)
    const terminal = await shellTerminal(t, 'coop trust; echo "CODE $?"; exec cat', WIDE)
    const screen = await terminal.waitFor(/Accept it\? \[y\/N\]/)
    expect(screen).toMatch(
      /wants to:\n\s+new {7}have your variable HOST_SECRET as TAKEN\s+accepted {2}make sandboxes/,
    )
    await terminal.line('y')
    await terminal.waitFor(/CODE 0/)
    expect(output(await t.coop(['trust']))).not.toContain('new ')
    expect(output(await t.coop(['trust', 'ls']))).toMatch(
      /~\/project .*to have your variable HOST_SECRET as TAKEN\n/,
    )
  })

  test.skipIf(skip)(`ls and revoke resolve folders, also when they are gone${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    expect(output(await t.coop(['trust', 'ls']))).toBe('nothing is accepted\n')
    const other = t.folder('home/other')
    for (const path of ['coop.toml', join(other, 'coop.toml')]) t.write(path, ASKING)
    symlinkSync(other, join(t.home, 'link'))
    output(await t.coop(['trust', '--yes']))
    output(await t.coop(['trust', '--yes', '-w', '../link']))
    const list = JSON.parse(output(await t.coop(['trust', 'ls', '--json']))) as {
      workspace: string
      accepted: { key: string }[]
    }[]
    expect(list.map(({ workspace, accepted }) => [workspace, accepted.map(({ key }) => key)])).toEqual([
      [t.workspace, ['nested', 'env:HOST_SECRET:TAKEN']],
      [other, ['nested', 'env:HOST_SECRET:TAKEN']],
    ])
    expect(output(await t.coop(['trust', 'revoke', '../link']))).toBe(`revoked: 2 things of ${other}\n`)
    rmSync(t.workspace, { recursive: true })
    expect(output(await t.coop(['trust', 'revoke', t.workspace], { cwd: t.home }))).toContain('2 things')
    expectRefusal(await t.coop(['trust', 'revoke', other], { cwd: t.home }), {
      code: 1,
      sentence: /nothing is accepted for/,
      hint: /coop trust ls/,
    })
  })

  test.skipIf(skip)(`config marks values that are not accepted${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('coop.toml', `${ASKING}PORT = "1"\n`)
    const marked = async () =>
      (JSON.parse(output(await t.coop(['config', '--json']))) as { key: string; accepted?: false }[])
        .filter(({ accepted }) => accepted === false)
        .map(({ key }) => key)
    expect(await marked()).toEqual(['sandbox.nested', 'env.TAKEN'])
    expect(output(await t.coop(['config']))).toMatch(
      /sandbox\.nested [^.]*coop\.toml:2\s+\(not\s+accepted:\s+coop\s+trust\)\n/,
    )
    output(await t.coop(['trust', '--yes']))
    expect(await marked()).toEqual([])
  })

  test.skipIf(skip)(
    `the user's own settings, and the file that init writes, need no acceptance${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      t.settings('[sandbox]\nnested = true\nmounts = ["cache:/cache"]\n[env]\nTAKEN = "$HOST_SECRET"\n')
      t.write('CLAUDE.md', '')
      t.write('package.json', '{}')
      output(await t.coop(['init']))
      expect((await info(t)).asks).toEqual([])
      expect(output(await t.coop(['run', 'printenv', 'TAKEN'], SECRET))).toBe('value\n')
      expect(existsSync(stateFile(t))).toBe(false)
    },
  )

  test.skipIf(skip)(`a state file that cannot be read accepts nothing, and is kept${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('coop.toml', ASKING)
    for (const text of ['{"version":1,"folders":', '{"version":1,"folders":[]}', '']) {
      output(await t.coop(['trust', '--yes']))
      t.write(stateFile(t), text, 0o600)
      const { code, stderr } = await t.coop(['run', 'true'])
      expect(code).toBe(125)
      const [, aside = ''] = /cannot be read, and is kept in (\S+)\. the project/.exec(stderr) ?? []
      expect(readFileSync(aside, 'utf8')).toBe(text)
      expect((await t.coop(['run', 'true'])).stderr).not.toContain('cannot be read')
    }
    // A newer coop's file stays unchanged: it accepts nothing, and coop does not overwrite it.
    const newer = '{"version":9,"release":"99.0.0","folders":{}}'
    t.write(stateFile(t), newer, 0o600)
    expect((await t.coop(['run', 'true'])).stderr).toContain('was written by coop 99.0.0')
    const { code, stderr } = await t.coop(['trust', '--yes'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('was made by coop 99.0.0') })
    expect(readFileSync(stateFile(t), 'utf8')).toBe(newer)
  })

  test.skipIf(skip)(
    `hostile words are harmless, and requests that were not shown are not accepted${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      const steps = [`\\u001b]0;owned\\u0007\\u001b[2J\\n\\u202e${'x'.repeat(3000)}`]
      t.write('coop.toml', `[sandbox]\nimage = "debian"\nsetup = ["${steps[0]}"]\n`)
      const { stdout, stderr } = await t.coop(['trust'])
      expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
      expect(stdout).toContain('more characters, see the file')
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(400)
      // Too many for a screen: only `coop trust`, which shows all of them, asks.
      t.write(
        'coop.toml',
        `[sandbox]\nimage = "debian"\nsetup = [${Array.from({ length: 40 }, (_, n) => `"step ${n}"`)}]\n`,
      )
      const screen = await shellTerminal(t, 'coop -d; echo "CODE $?"; exec cat', WIDE)
      expect(await screen.waitFor(/CODE 1/)).toMatch(/and 38 more/)
      expect((await info(t)).asks).toHaveLength(41)
      t.write(
        'coop.toml',
        `[sandbox]\nimage = "debian"\nsetup = [${Array.from({ length: 300 }, (_, n) => `"step ${n}"`)}]\n`,
      )
      expectRefusal(await t.coop(['-d', '--trust']), {
        code: 2,
        sentence: /more than 200 things/,
        hint: /shorten/,
      })
    },
  )

  test.skipIf(skip)(
    `a snapshot with an unaccepted coop.toml is restored, and its box does not start${can.note}`,
    async () => {
      await using t = await scratch(ordinary, { git: false })
      t.write('coop.toml', ASKING)
      output(await t.coop(['-d', '-n', 'box', '--agent', 'sleep infinity', '--trust'], SECRET))
      output(await t.coop(['snapshot', 'create', 'one', '--workspace']))
      t.write('coop.toml', '')
      output(await t.coop(['trust', 'revoke']))
      const restored = await t.coop(['snapshot', 'restore', 'one', '--workspace', '--force'], SECRET)
      expect(output(restored)).toContain('the box is stopped. Start: coop start box')
      expect(restored.stderr).toMatch(/wants what you have not accepted/)
      expect(readFileSync(join(t.workspace, 'coop.toml'), 'utf8')).toBe(ASKING)
      output(await t.coop(['start', '--trust'], SECRET))
      expect(output(await t.coop(['exec', 'printenv', 'TAKEN']))).toBe('value\n')
    },
  )

  test.skipIf(skip)(`errors as JSON name each request by its meaning${can.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    t.write('coop.toml', ASKING)
    const { code, stdout } = await t.coop(['build', '--json'])
    expect(code).toBe(1)
    expect((JSON.parse(stdout) as { error: unknown }).error).toMatchObject({
      code: 'E_TRUST',
      details: {
        workspace: t.workspace,
        asks: [
          { key: 'nested' },
          { key: 'env:HOST_SECRET:TAKEN', sentence: 'have your variable HOST_SECRET as TAKEN' },
        ],
      },
    })
    expect(output(await shell(t, 'coop build --json --trust'))).toContain('"host"')
  })
})
