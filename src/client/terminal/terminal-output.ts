/** Bytes of a box on their way to a terminal of the user's that the box does not own: pipes, files and logs that end there. */
import { OutputFilter } from '../../vt/filter.ts'
import { ScreenModes } from './screen-modes.ts'

export class TerminalOutput {
  readonly #modes = new ScreenModes()
  // Without questions: what the terminal answers would be typed into the user's shell.
  readonly #filter = new OutputFilter({ queries: false, witness: this.#modes })

  /** What of `bytes` is for the terminal. */
  push(bytes: Uint8Array): Uint8Array {
    const shown = this.#filter.push(bytes)
    const before = this.#modes.before()
    return before ? Buffer.concat([Buffer.from(before), shown]) : shown
  }

  /** What leaves the terminal as it was; nothing where it got no sequence at all. */
  end(): Uint8Array {
    const last = this.#filter.flush()
    return this.#modes.isTouched ? Buffer.concat([last, Buffer.from(this.#modes.restore())]) : last
  }
}
