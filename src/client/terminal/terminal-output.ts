/** Filters a box's bytes for a user's terminal that the box does not own: output of pipes, files and logs. */
import { OutputFilter } from '../../vt/filter.ts'
import { ScreenModes } from './screen-modes.ts'

export class TerminalOutput {
  readonly #modes = new ScreenModes()
  // Queries are removed: the terminal's answers would be typed into the user's shell.
  readonly #filter = new OutputFilter({ queries: false, witness: this.#modes })

  /** Returns the part of `bytes` that the terminal gets. */
  push(bytes: Uint8Array): Uint8Array {
    const shown = this.#filter.push(bytes)
    const before = this.#modes.before()
    return before ? Buffer.concat([Buffer.from(before), shown]) : shown
  }

  /** Returns the bytes that restore the terminal; nothing when it got no sequence at all. */
  end(): Uint8Array {
    const last = this.#filter.flush()
    return this.#modes.isTouched ? Buffer.concat([last, Buffer.from(this.#modes.restore())]) : last
  }
}
