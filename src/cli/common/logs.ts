/** Prints the output of a box's terminal, for `coop logs` and `coop shell logs`. */
import { writeAll } from '../../../ffi/pipes.ts'
import { connect } from '../../client/daemon.ts'
import { followOutput, readOutput, type Source } from '../../client/output.ts'
import { TerminalOutput } from '../../client/terminal/terminal-output.ts'
import { userPaths } from '../../client/user-paths.ts'
import { OutputFilter } from '../../vt/filter.ts'
import { Stripper } from '../../vt/strip.ts'
import { PlainLines } from '../../vt/unfinished.ts'
import type { Args, Declared } from './declare.ts'
import { isTerminal, paint, printError } from './output.ts'

const NEWLINE = 10
const TAIL = 4096 // bytes; longer than the sequences that a program leaves behind its last line
const MOMENT_MS = 500 // without output, until an unfinished line is shown: longer than a program's own pauses
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

export const LOGS_OPTIONS = {
  follow: { type: 'boolean', alias: 'f', description: 'keep showing new output' },
  lines: {
    type: 'string',
    alias: 'n',
    valueHint: 'LINES',
    range: [0, 1_000_000],
    description: 'show only the last N lines',
  },
  raw: { type: 'boolean', description: 'keep escape sequences (the default on a terminal)' },
} as const satisfies Declared

/** Whether what was shown ends within a line; sequences behind its end do not count. */
function isOpenLine(tail: Uint8Array): boolean {
  const stripper = new Stripper()
  const last = Buffer.concat([stripper.push(tail), stripper.flush()]).at(-1)
  return last !== undefined && last !== NEWLINE
}

function isPainted(bytes: Uint8Array): boolean {
  const stripper = new Stripper()
  stripper.push(bytes)
  return stripper.isPainted
}

/** The output of a full-screen program is many changes of a picture, and no text to read. */
function hintAtScreen(box: string, pty: number): void {
  const fix = pty === 0 ? `coop screen ${box}` : `coop shell screen ${box}:${pty}`
  const sentence = 'the program draws on the whole screen, so its output is fragments; what is on it now'
  printError(`${paint('yellow', 'coop:', 2)} ${sentence}: ${fix}\n`)
}

function put(bytes: Uint8Array): void {
  if (writeAll(1, bytes) < 0) process.exit(0) // the reader has seen enough
}

/** Returns the last `count` lines; an unfinished last line counts. */
export function lastLines(bytes: Buffer, count: number): Buffer {
  let at = bytes.length - (bytes.at(-1) === NEWLINE ? 1 : 0)
  for (let left = count; left > 0; left--) {
    at = at > 0 ? bytes.lastIndexOf(NEWLINE, at - 1) : -1
    if (at < 0) return bytes
  }
  return bytes.subarray(at + 1)
}

/** Prints a terminal's output as the options say. */
export async function showLogs(args: Args<typeof LOGS_OPTIONS>, source: Source): Promise<number> {
  const { lines } = args
  const onTerminal = isTerminal(1)
  // A terminal gets no sequences that make it act or answer. A pipe gets text, or with --raw all bytes.
  const filter = new OutputFilter({ queries: false })
  const screen = new TerminalOutput() // sees only the shown lines, not the lines before
  const plain = new PlainLines()
  const clean = (bytes: Uint8Array): Uint8Array =>
    onTerminal ? filter.push(bytes) : args.raw ? bytes : plain.push(bytes)
  let tail: Uint8Array = new Uint8Array()
  const show = (part: Uint8Array): void => {
    if (part.length) tail = Buffer.concat([tail, part]).subarray(-TAIL)
    put(onTerminal ? screen.push(part) : part)
  }
  if (onTerminal)
    for (const [name, signal] of Object.entries(SIGNALS))
      process.on(name, () => {
        put(screen.end())
        process.exit(128 + signal)
      })
  const session = await connect(userPaths())
  const { box, bytes, next } = await readOutput(session, source)
  session.close()
  const shown = Buffer.from(clean(bytes))
  show(lines === undefined ? shown : lines === 0 ? Buffer.alloc(0) : lastLines(shown, lines))
  if (!args.raw && (onTerminal ? isPainted(bytes) : plain.isPainted)) hintAtScreen(box, source.pty)
  if (args.follow) {
    let timer: Timer | undefined
    const pause = (): void => {
      if (!onTerminal && !args.raw) timer = setTimeout(() => put(plain.pause()), MOMENT_MS)
    }
    pause()
    await followOutput(userPaths(), source, next, (more) => {
      clearTimeout(timer)
      show(clean(more))
      pause()
    })
    clearTimeout(timer)
  }
  put(plain.flush())
  if (onTerminal) {
    put(screen.end())
    if (isOpenLine(tail)) put(Uint8Array.of(NEWLINE)) // else the shell's prompt would stand behind it
  }
  return 0
}
