/**
 * Shows plain lines of a terminal as they come, and a line without an end after a moment: "Overwrite? [y/N] " is one,
 * and its end comes only with the answer. Pure but for its state.
 */
import { Stripper } from './strip.ts'

const NEWLINE = 0x0a
const NOTHING = new Uint8Array()

export class PlainLines {
  readonly #stripper = new Stripper()
  /** The part of the current line that was shown already. */
  #shown: Uint8Array = NOTHING

  get isPainted(): boolean {
    return this.#stripper.isPainted
  }

  /** Returns what to show of the lines that are complete now. */
  push(bytes: Uint8Array): Uint8Array {
    const lines = this.#stripper.push(bytes)
    if (!lines.length || !this.#shown.length) return lines
    const end = lines.indexOf(NEWLINE)
    const first = this.#rest(end < 0 ? lines : lines.subarray(0, end))
    // A part without its end: the line is longer than the stripper keeps.
    this.#shown = NOTHING
    return end < 0 ? first : Buffer.concat([first, lines.subarray(end)])
  }

  /** Returns what is not shown yet of the line that is not complete. Call it when nothing has come for a moment. */
  pause(): Uint8Array {
    const { unfinished } = this.#stripper
    const rest = this.#rest(unfinished)
    if (unfinished.length) this.#shown = unfinished
    return rest
  }

  /** Returns the last line, which had no end. */
  flush(): Uint8Array {
    return this.#rest(this.#stripper.flush())
  }

  /** A line that has changed since it was shown is shown again as a whole. */
  #rest(line: Uint8Array): Uint8Array {
    const shown = this.#shown
    if (!shown.length || Buffer.from(line.subarray(0, shown.length)).equals(Buffer.from(shown)))
      return line.subarray(shown.length)
    return line.length ? Buffer.concat([Uint8Array.of(NEWLINE), line]) : NOTHING
  }
}
