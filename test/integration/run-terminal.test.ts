/** `coop run` in a terminal: keys, signals and sizes reach the program, and the terminal is restored. */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { finalScreen, needed, nothingLeft, output, shell, shellTerminal } from './support.ts'

const LISTENER = 'trap "echo interrupted; exit 7" INT; echo ready; while :; do sleep 0.02; done'

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker, 'tmux')

  test.skipIf(can.missing)(`the program has a terminal of its own, of the same size${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const command = `run -- sh -c 'tty; stty size; echo $TERM; exit 5'`
    const screen = await finalScreen(t, command, { columns: 91, rows: 17 })
    expect(screen).toBe('/dev/pts/0\n17 91\ntmux-256color\nCODE 5')
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(
    `the last of the output comes, however slow the reader is${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const reader = '(until test -e done; do sleep 0.02; done; tail -c 200)'
      const script = `coop run -t -- sh -c "seq 300000; touch done" </dev/null | ${reader}`
      expect(output(await shell(t, script))).toMatch(/300000/)
    },
  )

  test.skipIf(can.missing)(`typing is echoed once and read${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const command = `coop run -- sh -c 'echo ready; read a; echo "got $a"'; echo "CODE $?"; exec cat`
    const terminal = await shellTerminal(t, command)
    await terminal.waitFor(/^ready$/m)
    await terminal.line('some words')
    await terminal.waitFor(/^ready\nsome words\ngot some words\nCODE 0\n/)
  })

  test.skipIf(can.missing)(`Ctrl+C, Ctrl+\\ and Ctrl+D reach the program${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const handled = await t.coopTerminal(['run', '--', 'sh', '-c', LISTENER])
    await handled.waitFor(/ready/)
    await handled.keys('C-c')
    await handled.waitFor(/interrupted/)
    expect(await handled.exited()).toBe(7)
    const sleeping = await t.coopTerminal(['run', '--', 'sh', '-c', 'echo ready; exec sleep 1000'])
    await sleeping.waitFor(/ready/)
    await sleeping.keys('C-c')
    expect(await sleeping.exited()).toBe(130)
    const quit = await t.coopTerminal(['run', '--', 'sh', '-c', 'echo ready; exec sleep 1000'])
    await quit.waitFor(/ready/)
    await quit.keys('C-\\')
    expect(await quit.exited()).toBe(131)
    const reader = await t.coopTerminal(['run', '--', 'sh', '-c', 'echo ready; cat; echo over'])
    await reader.waitFor(/ready/)
    await reader.keys('C-d')
    await reader.waitFor(/over/)
    expect(await reader.exited()).toBe(0)
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`Ctrl+] is a key like any other: run cannot be left${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script =
      'stty raw -echo; printf "ready\\r\\n"; dd bs=1 count=1 2>/dev/null | od -An -tx1; stty sane'
    const terminal = await t.coopTerminal(['run', '--', 'sh', '-c', script])
    await terminal.waitFor(/ready/)
    await terminal.keys('C-]')
    await terminal.waitFor(/1d/)
    expect(await terminal.exited()).toBe(0)
  })

  test.skipIf(can.missing)(`the size follows the window${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.02; done'
    const terminal = await t.coopTerminal(['run', '--', 'sh', '-c', script], { columns: 80, rows: 24 })
    await terminal.waitFor(/ready/)
    await terminal.resize(101, 31)
    await terminal.waitFor(/^31 101$/m)
    await terminal.resize(60, 10)
    await terminal.waitFor(/^10 60$/m)
    await terminal.keys('C-c')
    expect(await terminal.exited()).toBe(130)
  })

  test.skipIf(can.missing)(`the terminal is restored${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const wild = 'stty raw -echo; printf "\\033[?1049h\\033[?25l\\033[?1000h\\033[?2004h"; echo wild'
    const terminal = await shellTerminal(
      t,
      `stty -a >../before; coop run -- sh -c '${wild}'; stty -a >../after; echo CODE $?; cat`,
    )
    await terminal.waitFor(/CODE 0/)
    expect(output(await shell(t, 'cmp ../before ../after'))).toBe('')
    expect(await terminal.modes()).toMatchObject({ alternate: false, cursorShown: true, mouse: false })
  })

  test.skipIf(can.missing)(
    `the prompt comes back below the command, not on the last line${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      // vim sets margins and leaves them.
      const editor = 'printf "\\033[?1049h\\033[1;24r\\033[24;1Hediting\\033[?1049l"'
      expect(await finalScreen(t, `run -- sh -c '${editor}'`)).toBe('CODE 0')
      const progress = 'echo one; printf "\\0337\\033[1;20r\\0338"; echo two'
      expect(await finalScreen(t, `run -- sh -c '${progress}'`)).toBe('one\ntwo\nCODE 0')
    },
  )

  test.skipIf(can.missing)(`the terminal is restored when a signal ends coop${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = `stty -a >../before; coop run -- sh -c 'echo ready; exec sleep 1000'; echo "CODE $?"; stty -a >../after; echo written`
    const terminal = await shellTerminal(t, script)
    await terminal.waitFor(/ready/)
    const pane = await terminal.info('#{pane_pid}')
    await t.run(['pkill', '-TERM', '-P', pane])
    await terminal.waitFor(/CODE (130|143)\nwritten/)
    expect(output(await shell(t, 'cmp ../before ../after'))).toBe('')
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`the box ends when the terminal goes away${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const terminal = await t.coopTerminal(['run', '--', 'sh', '-c', 'echo ready; while :; do sleep 1; done'])
    await terminal.waitFor(/ready/)
    await terminal[Symbol.asyncDispose]()
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`-T gives pipes in a terminal, -t a terminal in a pipe${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const test = 'test -t 0 && echo in; test -t 1 && echo out; test -t 2 && echo err; echo tested'
    expect(await finalScreen(t, `run -T -- sh -c '${test}'`)).toBe('tested\nCODE 0')
    const forced = await t.coop(['run', '-t', '--', 'sh', '-c', `${test}; stty size; exit 3`])
    expect(forced).toMatchObject({ code: 3, stdout: 'in\r\nout\r\nerr\r\ntested\r\n24 80\r\n' })
    expect(await shell(t, 'coop run -t -- cat </dev/null', { timeoutMs: 5_000 })).toMatchObject({ code: 0 })
    expect(await t.coop(['run', '-t', '--', 'head', '-1'], { stdin: 'early\nlate\n' })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^early\r\n/),
    })
    expect(await t.coop(['run', '-t', '-T', '--', 'true'])).toMatchObject({ code: 2 })
    const redirected = await shellTerminal(t, `coop run -- sh -c '${test}' >../out; cat ../out; cat`)
    await redirected.waitFor(/^tested/)
  })

  test.skipIf(can.missing)(`a lot of output arrives whole and in order${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const lines = (await finalScreen(t, `run -- sh -c 'seq 1 9000; exit 4'`)).split('\n')
    expect(lines.pop()).toBe('CODE 4')
    expect(lines.map(Number)).toEqual(Array.from({ length: 9000 }, (_, n) => n + 1))
  })
})
