/**
 * The exact screen of a terminal, as data: who attaches sees what a terminal that saw all output would show.
 *
 * What takes long comes in steps of about a millisecond, so that the caller can do something else in between.
 *
 * This loads a terminal emulator (5 ms compiled): import it when a screen is needed, `await import(...)`.
 */
import type { WindowSize } from '../core/window-size.ts'
import { pieceEnd, wholeCharacters } from './cost.ts'
import { Extras } from './extras.ts'
import { type Core, type Emulator, open } from './internals.ts'
import { MAX_RENDERED, SCROLLBACK_LINES } from './limits.ts'
import { Pending } from './pending.ts'
import { picture } from './picture.ts'
import type { Picture } from './pictures.ts'
import { render } from './render.ts'
import { finish, type Steps } from './steps.ts'

export interface Snapshot extends WindowSize {
  readonly scrollback: number
  /** What `render` gave, as base64. */
  readonly data: string
}

/** What tests compare. */
export let insidesOf: (screen: Screen) => { readonly core: Core; readonly extras: Extras }

export class Screen {
  static {
    insidesOf = (screen) => ({ core: screen.#emulator.core, extras: screen.#extras })
  }

  readonly #scrollback: number
  readonly #emulator: Emulator
  readonly #extras: Extras
  readonly #pending: Pending
  /** A character that is not whole: the library loses some that come in two pieces. */
  #partial: Uint8Array = new Uint8Array()

  /** A terminal of at least two columns that was just reset. `scrollback` is in lines. */
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

  /** Whether lines that come push out everything that is there: no alternate screen, no region that stays. */
  get scrolls(): boolean {
    const { buffers, coreService } = this.#emulator.core
    const { scrollTop, scrollBottom } = buffers.normal
    const whole = buffers.active === buffers.normal && scrollTop === 0 && scrollBottom === this.rows - 1
    return whole && !coreService.decPrivateModes.origin
  }

  /** What the program wrote next; pieces may end anywhere. Its questions are not answered. */
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
      // Whatever a program wrote must not be an end of who watches it: the rest of this piece is missing.
      _inputHandler._parser.reset()
    }
    this.#pending.after(piece)
  }

  resize(columns: number, rows: number): void {
    this.#extras.resizing(() => this.#emulator.resize(columns, rows))
  }

  /**
   * Sequences that give a terminal of this size that was just reset (RIS) exactly this state, and then the
   * bytes of a sequence or character that the stream has begun, so that the stream can go on after it. No
   * question and no bell is in it.
   */
  render(): Uint8Array {
    return finish(this.rendering())
  }

  /** Nothing may be written meanwhile. */
  *rendering(): Steps<Uint8Array> {
    // A hostile program makes a state that is much longer than its text: then only the newest lines are kept.
    for (let skip = 0; ; ) {
      const { core } = this.#emulator
      const state = yield* render(core, this.#extras, skip)
      const left = core.buffers.normal.ybase - skip
      if (state !== undefined && (state.length <= MAX_RENDERED || left <= 0))
        return Buffer.concat([Buffer.from(state), this.#pending.bytes(), this.#partial])
      skip += Math.ceil(left / 2)
    }
  }

  /** What of it fits into a window of another size. */
  picture(window: WindowSize): Picture {
    return finish(this.picturing(window))
  }

  /** Nothing may be written meanwhile. */
  picturing(window: WindowSize): Steps<Picture> {
    return picture(this.#emulator.core, this.#extras, window)
  }

  /** This screen as JSON: one restored from it goes on as if it had never stopped. */
  snapshot(): Snapshot {
    return finish(this.snapshotting())
  }

  *snapshotting(): Steps<Snapshot> {
    const { columns, rows } = this
    const data = Buffer.from(yield* this.rendering()).toString('base64')
    yield
    return { columns, rows, scrollback: this.#scrollback, data }
  }

  dispose(): void {
    this.#emulator.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
