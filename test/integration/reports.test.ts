/** OSC 7501 and focus: what coop tells a program, and what it passes on to the user's terminal. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, needed, output } from './support.ts'

const can = needed(ordinary, 'tmux')
const QUERY = '\x1b]7501;?\x1b\\'
const [GAINED, LOST] = ['\x1b[I', '\x1b[O']

const clients = (t: Scratch, count: number): Promise<unknown> =>
  waitUntil(async () => (await box(t)).clients === count, `${count} clients`)

/** A program that asks when a file appears, and keeps all of its input in `input`. */
async function program(asks: string): Promise<{ t: Scratch; input: (expected: string) => Promise<string> }> {
  const t = await scratch(ordinary, { git: false })
  t.write(
    'program',
    `stty raw -echo; : >input; printf '${asks}'; cat <&1 >>input & n=1
     while :; do until [ -e ask-$n ]; do sleep 0.02; done; printf "$(cat ask-$n)"; n=$((n+1)); done`,
  )
  const file = join(t.workspace, 'input')
  const read = (): string => (existsSync(file) ? readFileSync(file, 'latin1') : '')
  return {
    t,
    input: async (expected) => {
      await waitUntil(
        () => read().startsWith(expected) && read(),
        () => `${JSON.stringify(expected)}; so far ${JSON.stringify(read())}`,
      )
      return read()
    },
  }
}
const AGENT = ['-n', 'box', '--agent', 'sh program']

describe('the question for reports', () => {
  test.skipIf(can.missing)(`has one answer, whoever is attached${can.note}`, async () => {
    const { t, input } = await program('\\033]7501;?\\033\\\\')
    await using _ = t
    output(await t.coop(['-d', ...AGENT]))
    expect(await input(QUERY)).toBe(QUERY)
    const one = await t.coopTerminal(['attach'])
    await clients(t, 1)
    // The answer to the second question ends the wait for further ones to the first.
    t.write('ask-1', '\\033]7501;?\\033\\\\\\033[5n')
    let all = `${QUERY}${QUERY}\x1b[0n`
    expect(await input(all)).toBe(all)
    await t.coopTerminal(['attach'])
    await clients(t, 2)
    t.write('ask-2', '\\033]7501;?\\007\\033[5n')
    all += '\x1b]7501;?\x07\x1b[0n'
    expect(await input(all)).toBe(all)
    await one.keys('C-]')
    await clients(t, 1)
    expect(await input(all)).toBe(all)
  })
})

describe('focus', () => {
  test.skipIf(can.missing)(`is lost while nobody looks, across daemons${can.note}`, async () => {
    const { t, input } = await program('\\033[?1004h')
    await using _ = t
    output(await t.coop(['-d', ...AGENT]))
    let told = LOST
    expect(await input(told)).toBe(told)
    const one = await t.coopTerminal(['attach'])
    told += GAINED
    expect(await input(told)).toBe(told)
    const two = await t.coopTerminal(['attach'])
    await clients(t, 2)
    await one.keys('C-]')
    await clients(t, 1)
    expect(await input(told)).toBe(told)
    await two.keys('C-]')
    told += LOST
    expect(await input(told)).toBe(told)
    // The next daemon has not seen that the program asked for it.
    const { pid } = JSON.parse(output(await t.coop(['system', 'status', '--json']))) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await t.coopTerminal(['attach'])
    told += GAINED
    expect(await input(told)).toBe(told)
  })

  test.skipIf(can.missing)(`is not told to a program that did not ask${can.note}`, async () => {
    const { t, input } = await program('\\033[?1004h\\033[?1004l\\033[5n')
    await using _ = t
    output(await t.coop(['-d', ...AGENT]))
    const before = await input(`${LOST}\x1b[0n`)
    const one = await t.coopTerminal(['attach'])
    await clients(t, 1)
    await one.keys('C-]')
    await clients(t, 0)
    t.write('ask-1', '\\033[5n')
    expect(await input(`${before}\x1b[0n`)).toBe(`${before}\x1b[0n`)
  })
})

const own = invokers.find(({ uid }) => uid === process.getuid?.())
const canOwn = needed(own ?? ordinary)

describe('a terminal of the user', () => {
  /** Attaches in a terminal of this process, which answers the question for reports or not. */
  function attached(t: Scratch, answers: boolean) {
    let shown = ''
    const client = Bun.spawn(asInvoker(t.invoker, [coopPath(), 'attach']), {
      cwd: t.workspace,
      env: { ...t.env, TERM: 'xterm-256color' },
      terminal: {
        cols: 80,
        rows: 24,
        data: (terminal, bytes) => {
          const text = Buffer.from(bytes).toString('latin1')
          shown += text
          if (answers && text.includes(QUERY)) terminal.write(QUERY)
        },
      },
    })
    return {
      type: (text: string) => client.terminal?.write(text),
      shows: (what: RegExp) =>
        waitUntil(
          () => what.test(shown),
          () => `${what} in ${JSON.stringify(shown)}`,
        ),
      async left(): Promise<string> {
        client.terminal?.write('\x1d')
        await client.exited
        return shown
      },
    }
  }

  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const says = [
    'read a',
    `printf "\\033]7501;state=blocked:x=1:msg=${base64('rm it?\x1b[31m')}\\007asks"`,
    'read a',
    'printf "\\033]7501;state=done\\007over"',
    'exec cat -v',
  ]
  const agent = ['-d', '-n', 'box', '--agent', `sh -c 'stty -echo; ${says.join('; ')}'`]

  test.skipIf(canOwn.missing || !own)(
    `that wants reports gets them, checked, until it is left${canOwn.note}`,
    async () => {
      await using t = await scratch(own ?? ordinary, { git: false })
      output(await t.coop(agent))
      const terminal = attached(t, true)
      await clients(t, 1)
      terminal.type('\r')
      await terminal.shows(new RegExp(`\x1b\\]7501;state=blocked:msg=${base64('rm it?[31m')}\x1b\\\\`))
      terminal.type('\r')
      await terminal.shows(/\x1b\]7501;state=done\x1b\\/)
      terminal.type('typed\r')
      await terminal.shows(/typed/)
      const shown = await terminal.left()
      expect(shown).toMatch(/\x1b\]7501;state=clear\x1b\\/)
      // Asked once, and the program did not get the answer.
      expect(shown.split('7501;?')).toHaveLength(2)
      const again = attached(t, true)
      await again.shows(/\x1b\]7501;state=done[^\x07\x1b]*\x1b\\/)
      await again.left()
    },
  )

  test.skipIf(canOwn.missing || !own)(`that does not answer gets none${canOwn.note}`, async () => {
    await using t = await scratch(own ?? ordinary, { git: false })
    output(await t.coop(agent))
    const terminal = attached(t, false)
    await clients(t, 1)
    terminal.type('\r')
    await terminal.shows(/asks/)
    terminal.type('\r')
    await terminal.shows(/over/)
    const shown = await terminal.left()
    expect(shown.split('7501;?')).toHaveLength(2)
    expect(shown).not.toContain('7501;state')
  })
})
