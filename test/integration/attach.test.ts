/** The agent's terminal: starting, leaving and rejoining it, from several clients at once. */
import { describe, expect, test } from 'bun:test'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Terminal } from '../harness/terminal.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import {
  box,
  boxes,
  daemonPid,
  expectRefusal,
  needed,
  nothingLeft,
  output,
  shell,
  shellTerminal,
  startBox,
} from './support.ts'

/** Prints a word when it is ready, and repeats its input. */
const ECHO = 'sh -c "echo hello; while read line; do echo \\"heard: $line\\"; done"'

async function clients(t: Scratch, count: number): Promise<void> {
  const have = async () => (await box(t)).clients === count
  await waitUntil(have, `${count} clients`)
}

async function detach(terminal: Terminal): Promise<void> {
  await terminal.keys('C-]')
  await terminal.waitFor(/detached/)
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux')

  test.skipIf(can.missing)(
    `coop starts the agent, Ctrl+] leaves it, coop rejoins it${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const first = await t.coopTerminal(['-n', 'box', '--agent', ECHO])
      await first.waitFor(/hello/)
      await first.line('one')
      await first.waitFor(/heard: one/)
      await detach(first)
      expect(await first.exited()).toBe(0)
      expect(await box(t)).toMatchObject({ state: 'running', clients: 0, workspace: t.workspace })
      const second = await t.coopTerminal([])
      await second.waitFor(/hello\none\nheard: one/)
      await second.line('two')
      await second.waitFor(/heard: two/)
      await detach(second)
      const third = await t.coopTerminal(['attach', 'box'], { cwd: '/' })
      await third.waitFor(/heard: one\ntwo\nheard: two/)
      expect(await boxes(t)).toHaveLength(1)
    },
  )

  test.skipIf(can.missing)(`detaching restores the terminal${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const modes = '\\033[?1049h\\033[?25l\\033[?1002h\\033[?1006h\\033[?2004h\\033[?1h\\033='
    const agent = t.write(
      'agent.sh',
      `#!/bin/sh\nstty raw -echo\nprintf '${modes}'\necho wild\nexec cat\n`,
      0o755,
    )
    const script = `stty -a >../before; coop --agent ${agent}; echo "CODE $?"; stty -a >../after; echo written; cat`
    const terminal = await shellTerminal(t, script)
    await terminal.waitFor(/wild/)
    expect(await terminal.modes()).toMatchObject({ alternate: true, cursorShown: false, mouse: true })
    await terminal.keys('C-]')
    await terminal.waitFor(/detached[\s\S]*CODE 0\nwritten/)
    expect(output(await shell(t, 'cmp ../before ../after'))).toBe('')
    expect(await terminal.modes()).toEqual({
      alternate: false,
      cursorShown: true,
      mouse: false,
      applicationKeypad: false,
      applicationCursor: false,
    })
  })

  test.skipIf(can.missing)(`leaving and rejoining clear what is below the cursor${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const agent = t.write('agent.sh', '#!/bin/sh\nseq -f "debris %g" 9\nprintf "\\033[6A"\nexec cat\n', 0o755)
    const below = 'printf "below\\033[1A\\r"'
    const script = `coop -q -n box --agent ${agent}; ${below}; read x; coop attach; echo END; exec cat`
    const terminal = await shellTerminal(t, script)
    const left = /^debris 1\ndebris 2\ndebris 3\n(?:debris 4\n)?\[detached; [^\n]*\]\n/
    await terminal.waitFor(/debris 9/)
    await terminal.keys('C-]')
    expect(await terminal.waitFor(/below/)).toMatch(new RegExp(`${left.source}below\n+$`))
    await terminal.keys('Enter')
    await terminal.waitFor(/debris 9/)
    expect(await terminal.screen({ history: true })).not.toContain('below')
    await terminal.keys('C-]')
    expect(await terminal.waitFor(/END/)).toMatch(new RegExp(`${left.source}END\n+$`))
  })

  test.skipIf(can.missing)(
    `the detach key is found under other encodings and split reads${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: 'cat' })
      for (const sequence of ['\x1b[93;5u', '\x1b[27;5;93~']) {
        const terminal = await t.coopTerminal(['attach'])
        await clients(t, 1)
        await terminal.bytes(Buffer.from(sequence))
        await terminal.waitFor(/detached/)
      }
    },
  )

  test.skipIf(can.missing)(`all clients see the same output, and each may type${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: ECHO })
    const [one, two] = [await t.coopTerminal(['attach']), await t.coopTerminal(['attach'])]
    await clients(t, 2)
    await one.line('from one')
    await Promise.all([one.waitFor(/heard: from one/), two.waitFor(/heard: from one/)])
    await two.line('from two')
    await Promise.all([one.waitFor(/heard: from two/), two.waitFor(/heard: from two/)])
    await detach(one)
    await two.line('alone')
    await two.waitFor(/heard: alone/)
    await clients(t, 1)
  })

  test.skipIf(can.missing)(`--readonly shows output and types nothing${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: ECHO })
    const reader = await t.coopTerminal(['attach', '--readonly'], { columns: 40, rows: 10 })
    await reader.waitFor(/^ read-only: box . your keys go nowhere/m)
    expect(await reader.info('#{pane_title}')).toStartWith('read-only: box')
    await reader.waitForScreen((screen) => !screen.includes('read-only'), 'the end of the mark')
    const writer = await t.coopTerminal(['attach'])
    await clients(t, 2)
    await reader.line('not heard')
    await reader.waitFor(/^ read-only: box/m)
    await reader.keys('C-c', 'C-d')
    await writer.line('heard')
    await reader.waitFor(/heard: heard/)
    expect(await writer.screen()).not.toContain('not heard')
    // A small window that only watches does not make the others smaller either.
    expect((await box(t)).ptys[0]?.size).toEqual({ columns: 80, rows: 24 })
    await detach(reader)
  })

  test.skipIf(can.missing)(`the smallest window sets the size until it leaves${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: 'cat' })
    const size = async (columns: number, rows: number) => {
      const fits = async () => {
        const now = (await box(t)).ptys[0]?.size
        return now?.columns === columns && now.rows === rows
      }
      await waitUntil(fits, `a size of ${columns}x${rows}`)
      expect(output(await t.coop(['exec', 'stty', '-F', '/dev/pts/0', 'size']))).toBe(`${rows} ${columns}\n`)
    }
    await t.coopTerminal(['attach'], { columns: 100, rows: 40 })
    await size(100, 40)
    const small = await t.coopTerminal(['attach'], { columns: 70, rows: 20 })
    await size(70, 20)
    await small.resize(60, 50)
    await size(60, 40)
    await detach(small)
    await size(100, 40)
  })

  test.skipIf(can.missing)(
    `a killed client, or one whose terminal is gone, is no longer attached${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t, { agent: ECHO })
      const killed = await t.coopTerminal(['attach'])
      const closed = await t.coopTerminal(['attach'])
      await clients(t, 2)
      process.kill(Number(await killed.info('#{pane_pid}')), 'SIGKILL')
      await clients(t, 1)
      await closed[Symbol.asyncDispose]()
      await clients(t, 0)
      expect((await box(t)).state).toBe('running')
    },
  )

  test.skipIf(can.missing)(`killing the box ends its clients with a message${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const terminal = await t.coopTerminal(['attach'])
    await clients(t, 1)
    output(await t.coop(['kill', '-f']))
    await terminal.waitFor(/the box box was ended/)
    expect(await terminal.exited()).toBe(0)
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`attached clients do not notice a killed daemon${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: ECHO })
    const terminal = await shellTerminal(
      t,
      'stty -a >../before; coop attach; echo "CODE $?"; stty -a >../after; echo written; cat',
    )
    await terminal.waitFor(/hello/)
    await clients(t, 1)
    process.kill((await daemonPid(t)) ?? -1, 'SIGKILL')
    await terminal.line('still there')
    await terminal.waitFor(/still there[\s\S]*still there/)
    await clients(t, 1) // typing goes on before the client has found the next daemon
    expect(await box(t)).toMatchObject({ state: 'running' })
    await terminal.keys('C-]')
    await terminal.waitFor(/CODE 0\nwritten/)
    expect(output(await shell(t, 'cmp ../before ../after'))).toBe('')
  })

  test.skipIf(can.missing)(`a shutdown detaches clients with a message${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t, { agent: ECHO })
    const terminal = await shellTerminal(t, 'coop attach; echo "CODE $?"; cat')
    await terminal.waitFor(/hello/)
    await clients(t, 1)
    output(await t.coop(['system', 'shutdown']))
    await terminal.waitFor(
      /the daemon was stopped; the box is still running. Reattach: coop attach box[\s\S]*CODE 0/,
    )
    expect(await box(t)).toMatchObject({ state: 'running', clients: 0 })
  })

  test.skipIf(can.missing)(`without a terminal, attach is refused with a sentence${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expectRefusal(await t.coop(['attach']), { code: 2, sentence: /terminal/, hint: /terminal/ })
    expectRefusal(await t.coop(['shell']), { code: 2, sentence: /terminal/, hint: /coop exec/ })
    expectRefusal(await t.coop([]), { code: 2, sentence: /terminal/, hint: /coop -d/ })
    const terminal = await shellTerminal(t, 'coop attach nowhere; echo "CODE $?"; cat')
    await terminal.waitFor(/no box named nowhere[\s\S]*CODE 3/)
    expect(await daemonPid(t)).toBeNumber()
  })

  test.skipIf(can.missing)(`a full-screen program is whole after rejoining${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const lines = Array.from({ length: 40 }, (_, n) => `line ${n + 1}`)
    const file = t.write('text', `${lines.join('\n')}\n`)
    await startBox(t, { agent: `less ${file}` })
    for (let round = 0; round < 2; round++) {
      const terminal = await t.coopTerminal(['attach'])
      await terminal.waitFor(/^line 1\nline 2\n[\s\S]*line 23\n/)
      expect((await terminal.modes()).alternate).toBe(true)
      await detach(terminal)
      expect((await terminal.modes()).alternate).toBe(false)
    }
  })
})
