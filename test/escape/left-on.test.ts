/**
 * When coop leaves the user's terminal, it switches off the modes that a program of a box has switched on:
 * after detaching, when the command ends, and when the daemon was killed meanwhile. The test gives all bytes of the terminal
 * to an emulator (xterm's) and to tmux, which report the modes in force. The control is the same report a moment before.
 */
import { describe, expect, test } from 'bun:test'
import { Terminal } from '@xterm/headless'
import { coopPath } from '../harness/coop.ts'
import type { Started } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed, startBox } from './support.ts'

/** Modes that xterm's emulator does not report: the sequences that set and undo each. */
const BY_BYTES: Readonly<Record<string, readonly [string, RegExp]>> = {
  'no key repeat': ['\x1b[?8l', /\x1b\[\?8h/],
  'the wheel as keys': ['\x1b[?1007h', /\x1b\[\?1007l/],
  'the colour of what is selected': ['\x1b]17;#ff0000\x1b\\', /\x1b\]117(?:\x07|\x1b\\)/],
  'the colour of selected text': ['\x1b]19;#00ff00\x1b\\', /\x1b\]119(?:\x07|\x1b\\)/],
  'the shape of the pointer': ['\x1b]22;wait\x1b\\', /\x1b\]22;(?:\x07|\x1b\\)/],
  'a link without an end': ['\x1b]8;;https://example.com/\x1b\\', /\x1b\]8;;(?:\x07|\x1b\\)/],
  progress: ['\x1b]9;4;1;40\x1b\\', /\x1b\]9;4;0/],
  'the cursor of GNU screen': ['\x1b[34l', /\x1b\[34h/],
  'output held back': ['\x1bP=1s\x1b\\', /\x1bP=2s/],
}
/** Sequences that never reach the terminal, since coop cannot know the state to restore. */
const NEVER = ['\x1b[?1036l', '\x1b[?1034h', '\x1b[?1039l', '\x1b[?1010h', '\x1b[?1000s', '\x1b[?1000r']
const BY_EMULATOR =
  '\x1b[4h\x1b[1"q\x1b[?1h\x1b[?1003h\x1b[?1006h\x1b[?1004h\x1b[?2004h\x1b[?45h\x1b[?6h\x1b[?7l\x1b=\x1b)0\x0e'
const PROGRAM = `${Object.values(BY_BYTES)
  .map(([set]) => set)
  .join('')}${NEVER.join('')}${BY_EMULATOR}`

interface State {
  readonly insert: boolean
  readonly wrap: boolean
  readonly origin: boolean
  readonly keypad: boolean
  readonly cursorKeys: boolean
  readonly mouse: string
  readonly focus: boolean
  readonly paste: boolean
  readonly protection: string
  /** The look of a `q`: line drawing shows another character. */
  readonly letter: string
}
const FRESH: State = {
  insert: false,
  wrap: true,
  origin: false,
  keypad: false,
  cursorKeys: false,
  mouse: 'none',
  focus: false,
  paste: false,
  protection: '0',
  letter: 'q',
}

/** The state of an emulator after these bytes. */
async function stateOf(bytes: string): Promise<State> {
  const terminal = new Terminal({ cols: 80, rows: 24, allowProposedApi: true })
  const write = (data: string): Promise<void> => new Promise((resolve) => terminal.write(data, resolve))
  let answer = ''
  terminal.onData((data) => {
    answer += data
  })
  await write(bytes)
  await write('\x1bP$q"q\x1b\\')
  const { modes } = terminal
  await write('\x1b[2J\x1b[Hq')
  const letter = terminal.buffer.active.getLine(terminal.buffer.active.baseY)?.getCell(0)?.getChars() ?? ''
  const [, protection = ''] = /\x1bP1\$r(\d)"q/.exec(answer) ?? []
  const state = {
    insert: modes.insertMode,
    wrap: modes.wraparoundMode,
    origin: modes.originMode,
    keypad: modes.applicationKeypadMode,
    cursorKeys: modes.applicationCursorKeysMode,
    mouse: modes.mouseTrackingMode,
    focus: modes.sendFocusMode,
    paste: modes.bracketedPasteMode,
    protection,
    letter,
  }
  terminal.dispose()
  return state
}

async function check(shown: string, before: string): Promise<void> {
  expect(await stateOf(before)).toEqual({
    insert: true,
    wrap: false,
    origin: true,
    keypad: true,
    cursorKeys: true,
    mouse: 'any',
    focus: true,
    paste: true,
    protection: '1',
    letter: '─',
  })
  expect(await stateOf(shown)).toEqual(FRESH)
  for (const [name, [set, undo]] of Object.entries(BY_BYTES)) {
    const at = shown.lastIndexOf(set)
    expect({ name, isSet: at >= 0 }).toEqual({ name, isSet: true })
    expect({ name, isUndone: undo.test(shown.slice(at + set.length)) }).toEqual({ name, isUndone: true })
  }
  for (const never of NEVER) expect(shown).not.toContain(never)
}

const coop = coopPath()

/** A shell on a terminal of its own that prints a word when the command is over. */
async function onTerminal(t: Scratch, command: string): Promise<Started> {
  await t.coop(['system', 'status']) // starts nothing; makes the scratch end the daemon
  return t.start(['script', '-qefc', `${command}; echo o''ver`, '/dev/null'])
}

async function killDaemon(t: Scratch): Promise<void> {
  const { pid } = JSON.parse((await t.coop(['system', 'status', '--json'])).stdout) as { pid: number }
  process.kill(pid, 'SIGKILL')
}

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'script')

  test.skipIf(can.missing)(`modes are off after detaching, with a daemon or without${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('program', PROGRAM)
    t.write(
      'agent.sh',
      "cat program; echo REA''DY; read line; cat program; echo AG''AIN; exec sleep infinity\n",
    )
    await startBox(t, 'box', 'sh agent.sh')
    const terminal = await onTerminal(t, `${coop} attach box`)
    // A shown screen is drawn anew: the program sets its modes once more, live.
    await terminal.waitFor(/READY/)
    terminal.write('\r')
    await terminal.waitFor(/AGAIN/)
    const before = terminal.stdout
    await killDaemon(t)
    terminal.write('\x1d')
    await terminal.waitFor(/over/)
    await check(terminal.stdout, before)
  })

  test.skipIf(can.missing)(
    `modes are off when the command ends, on a terminal or a pipe${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('program', PROGRAM)
      const script = `sh -c "cat program; echo REA''DY; read line"`
      for (const command of [`${coop} run -t -- ${script}`, `${coop} run -T -- ${script}`]) {
        const terminal = await onTerminal(t, command)
        await terminal.waitFor(/READY/)
        const before = terminal.stdout
        await killDaemon(t)
        terminal.write('\r')
        await terminal.waitFor(/over/)
        await check(terminal.stdout, before)
      }
    },
  )

  test.skipIf(can.missing)(
    `modes are off after a log and a copied file, which have no program${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('program', PROGRAM)
      t.write('agent.sh', "cat program; echo REA''DY; exec sleep infinity\n")
      await startBox(t, 'box', 'sh agent.sh')
      for (const command of [`${coop} logs box`, `${coop} cp "box:$PWD/program" -`]) {
        const terminal = await onTerminal(t, command)
        await terminal.waitFor(/over/)
        expect(terminal.stdout).toContain('\x1b[4h')
        await check(terminal.stdout, terminal.stdout.slice(0, terminal.stdout.indexOf('\x0e') + 1))
      }
    },
  )

  const tmux = needed(invoker, 'tmux')
  test.skipIf(tmux.missing)(`tmux reports the modes as off, too${tmux.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('program', `${BY_EMULATOR}\x1b]2;the program's\x07`)
    t.write('agent.sh', "cat program; echo REA''DY; exec sleep infinity\n")
    await startBox(t, 'box', 'sh agent.sh')
    const terminal = await t.terminal(['bash', '--norc'])
    const flags = '#{insert_flag},#{wrap_flag},#{origin_flag},#{keypad_flag},#{mouse_any_flag}'
    await terminal.line("printf '\\033]2;%s\\007' mi''ne")
    await terminal.waitFor(/[$#]\s*$/)
    const fresh = await terminal.info(flags)
    await terminal.line(`${coop} attach box; echo o''ver`)
    await terminal.waitFor(/READY/)
    expect(await terminal.info(`${flags},#{pane_title}`)).toBe("1,0,1,1,1,the program's")
    await terminal.keys('C-]')
    await terminal.waitFor(/over/)
    expect(await terminal.info(`${flags},#{pane_title}`)).toBe(`${fresh},mine`)
  })
})
