/**
 * Messages of work that takes long: building, pulling, copying, cleaning. They go through consola, whose kinds and levels
 * they have. Only such work loads this file: a command that is over at once does not pay for it (messages.test.ts).
 */
import { type ConsolaInstance, createConsola, LogLevels, type LogObject } from 'consola/core'
import { windowSize } from '../../../ffi/terminal.ts'
import type { WindowSize } from '../../core/window-size.ts'
import { isTerminal, paint, printable, printError } from './output.ts'

const OTHER_ROWS = 2 // of the window: the command above, the cursor below

/** Where messages go. */
export interface Place {
  /** Lines can be replaced there. */
  readonly isScreen: boolean
  size(): WindowSize
  paint(color: 'bold' | 'yellow', text: string): string
  write(text: string): void
}

const stderr = (): Place => ({
  isScreen: isTerminal(2) && process.env.TERM !== 'dumb',
  size: () => windowSize(2) ?? { rows: 24, columns: 80 },
  paint: (color, text) => paint(color, text, 2),
  write: printError,
})

/** Prints messages. It makes every text printable, whatever its origin. */
export class Messages {
  readonly #log: ConsolaInstance
  readonly #place: Place
  readonly #quiet: boolean
  #live: readonly string[] = []
  #drawn = 0

  /** `quiet` leaves warnings only. */
  constructor(quiet = false, place: Place = stderr()) {
    this.#place = place
    this.#quiet = quiet
    this.#log = createConsola({
      level: quiet ? LogLevels.warn : LogLevels.info,
      // Our own reporter: consola's write to process.stderr, which costs 7 ms to touch, and add badges and times.
      reporters: [{ log: (message) => this.#print(message) }],
      // Otherwise a line that comes six times within a second waits for a timer, and is lost when coop ends first.
      throttle: Number.NEGATIVE_INFINITY,
    })
  }

  /** Whether `live` shows something. */
  get isLive(): boolean {
    return this.#place.isScreen && !this.#quiet
  }

  /** Rows that live lines may take. */
  get room(): number {
    return Math.max(2, this.#place.size().rows - OTHER_ROWS)
  }

  info(text: string): void {
    this.#log.info(text)
  }

  warn(text: string, head = 'coop:'): void {
    this.#log.warn(text, head)
  }

  /** A part of the work begins. */
  step(head: string, text: string): void {
    this.#log.start(text, head)
  }

  /** All of the work is done. */
  done(text: string): void {
    this.#log.success(text)
  }

  /** A piece of a program's output, as it comes. */
  output(text: string): void {
    this.#log.log(text)
  }

  /** Lines below all messages, each time in place of those before; none takes them away. Shown on a terminal only. */
  live(lines: readonly string[]): void {
    if (!this.isLive) return
    this.#live = lines
    this.#draw()
  }

  /** Leave the live lines where they are; what comes next stands below them. */
  keep(): void {
    this.#live = []
    this.#drawn = 0
  }

  #print({ type, args }: LogObject): void {
    const [text = '', head = ''] = args.map(String)
    const { paint, write } = this.#place
    const up = this.#up()
    if (up) write(`${up}\x1b[J`)
    this.#drawn = 0
    if (type === 'log') write(outputText(text))
    else if (head) write(`${paint(type === 'warn' ? 'yellow' : 'bold', head)} ${printable(text)}\n`)
    else write(`${printable(text)}\n`)
    if (this.#live.length) this.#draw()
  }

  #draw(): void {
    const { columns } = this.#place.size()
    const lines = this.#live.map((line) => `${printable(line).slice(0, columns - 1)}\x1b[K\n`)
    this.#place.write(`${this.#up()}${lines.join('')}\x1b[J`)
    this.#drawn = lines.length
  }

  #up(): string {
    return this.#drawn ? `\x1b[${this.#drawn}A` : ''
  }
}

/** Output of a program: lines, and nothing else that a terminal would act on. */
const outputText = (text: string): string =>
  text.replace(/[^\n]+/g, (line) => printable(lastOf(line).replaceAll('\t', '  ')))

/** Returns the text that a terminal shows of a line in the end: progress goes back to its beginning. */
const lastOf = (line: string): string => line.replace(/\r+$/, '').replace(/^.*\r/s, '')
