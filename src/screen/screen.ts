/**
 * The exact screen of a terminal, as data: a new client sees what a terminal with all the output would show.
 *
 * Long work comes in steps of about a millisecond, so that the caller can do other work in between.
 *
 * This module loads a terminal emulator (5 ms compiled), so import it only when a screen is needed: `await
 * import(...)`.
 */

import type { TerminalState } from '../answers/rule.ts'
import { finish, type Steps } from '../core/steps.ts'
import type { WindowSize } from '../core/window-size.ts'
import { pieceEnd, wholeCharacters } from './cost.ts'
import { Extras } from './extras.ts'
import { type Core, type Emulator, open } from './internals.ts'
import { MAX_RENDERED, SCROLLBACK_LINES } from './limits.ts'
import { Pending } from './pending.ts'
import { picture } from './picture.ts'
import type { Picture } from './pictures.ts'
import { render } from './render.ts'
import { stateOf } from './state.ts'
import { type ScreenText, screenText } from './text.ts'

export interface Snapshot extends WindowSize {
  readonly scrollback: number
  /** The output of `render`, as base64. */
  readonly data: string
}

/** The internals, for comparison in tests. */
export let insidesOf: (screen: Screen) => { readonly core: Core; readonly extras: Extras }

export class Screen {
  static {
    insidesOf = (screen) => ({ core: screen.#emulator.core, extras: screen.#extras })
  }

  readonly #scrollback: number
  readonly #emulator: Emulator
  readonly #extras: Extras
  readonly #pending: Pending
  /** An incomplete character: the library loses some that arrive in two pieces. */
  #partial: Uint8Array = new Uint8Array()

  /** A freshly reset terminal of at least two columns. `scrollback` is in lines. */
  constructor(columns: number, rows: number, scrollback = SCROLLBACK_LINES) {
    this.#scrollback = scrollback
    this.#emulator = open(columns, rows, scrollback)
    this.#extras = new Extras(this.#emulator)
    this.#pending = new Pending(this.#emulator.core)
  }

  static restore(snapshot: Snapshot): Screen {
    return finish(Screen.restoring(snapshot))
  }

  static *restoring({ columns, rows, scrollback, data }: Snapshot): Steps<Screen> {
    const screen = new Screen(columns, rows, scrollback)
    yield
    yield* screen.writing(Buffer.from(data, 'base64'))
    return screen
  }

  get columns(): number {
    return this.#emulator.core.cols
  }

  get rows(): number {
    return this.#emulator.core.rows
  }

  /** Whether new lines push out all content: no alternate screen, and no region that stays. */
  get scrolls(): boolean {
    const { buffers, coreService } = this.#emulator.core
    const { scrollTop, scrollBottom } = buffers.normal
    const whole = buffers.active === buffers.normal && scrollTop === 0 && scrollBottom === this.rows - 1
    return whole && !coreService.decPrivateModes.origin
  }

  /** Takes the program's next output; pieces may end anywhere. Its queries are not answered. */
  write(bytes: Uint8Array): void {
    finish(this.writing(bytes))
  }

  *writing(bytes: Uint8Array): Steps<void> {
    const all = this.#partial.length > 0 ? Buffer.concat([this.#partial, bytes]) : bytes
    const whole = all.subarray(0, wholeCharacters(all, 0, all.length))
    this.#partial = new Uint8Array(all.subarray(whole.length)) // `slice` of a Buffer would be the caller's memory
    for (let at = 0; at < whole.length; ) {
      const end = pieceEnd(whole, at, this.columns, this.rows)
      this.#parse(whole.subarray(at, end))
      at = end
      yield
    }
  }

  #parse(piece: Uint8Array): void {
    const { _inputHandler } = this.#emulator.core
    try {
      _inputHandler.parse(piece)
    } catch {
      // No output of a program may crash the process that shows it: drop the rest of this piece.
      _inputHandler._parser.reset()
    }
    this.#pending.after(piece)
  }

  resize(columns: number, rows: number): void {
    this.#extras.resizing(() => this.#emulator.resize(columns, rows))
  }

  /**
   * Sequences that give a freshly reset terminal (RIS) of this size exactly this state, followed by the bytes of an
   * incomplete sequence or character, so that the stream can continue after it. It contains no query and no bell.
   */
  render(): Uint8Array {
    return finish(this.rendering())
  }

  /** Do not write to the screen meanwhile. Without `history` it has no line of the scrollback. */
  *rendering({ exact = false, history = true } = {}): Steps<Uint8Array> {
    const { core } = this.#emulator
    // A hostile program can make a state much longer than its text; then only the newest lines are kept.
    for (let skip = history ? 0 : core.buffers.normal.ybase; ; ) {
      const state = yield* render(core, this.#extras, skip, exact)
      const left = core.buffers.normal.ybase - skip
      if (state !== undefined && (state.length <= MAX_RENDERED || left <= 0))
        return Buffer.concat([Buffer.from(state), this.#pending.bytes(), this.#partial])
      skip += Math.ceil(left / 2)
    }
  }

  /** The part that fits into a window of another size. */
  picture(window: WindowSize): Picture {
    return finish(this.picturing(window))
  }

  /** Do not write to the screen meanwhile. */
  picturing(window: WindowSize): Steps<Picture> {
    return picture(this.#emulator.core, this.#extras, window)
  }

  /** What is on it, as text. Do not write to the screen meanwhile. */
  reading(styled: boolean): Steps<ScreenText> {
    return screenText(this.#emulator.core, this.#extras, styled)
  }

  /** This screen as JSON; a screen restored from it continues as if nothing had happened. */
  snapshot(): Snapshot {
    return finish(this.snapshotting())
  }

  *snapshotting(): Steps<Snapshot> {
    const { columns, rows } = this
    const data = Buffer.from(yield* this.rendering({ exact: true })).toString('base64')
    yield
    return { columns, rows, scrollback: this.#scrollback, data }
  }

  /** The state now, for the answers to a program's questions. `size` has the pixels, which the emulator does not need. */
  state(size: WindowSize): TerminalState {
    return stateOf(this.#emulator.core, this.#extras, size)
  }

  dispose(): void {
    this.#emulator.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
