/**
 * The exact screen of a terminal, as data: who attaches sees what a terminal that saw all output would show.
 *
 * This loads a terminal emulator (5 ms compiled): import it when a screen is needed, `await import(...)`.
 */
import { Extras } from './extras.ts'
import { type Core, type Emulator, open } from './internals.ts'
import { Pending } from './pending.ts'
import { picture, type Window } from './picture.ts'
import type { Picture } from './pictures.ts'
import { render } from './render.ts'

const SCROLLBACK_LINES = 1000

export interface Snapshot {
  readonly columns: number
  readonly rows: number
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

  /** A terminal of at least two columns that was just reset. `scrollback` is in lines. */
  constructor(columns: number, rows: number, scrollback = SCROLLBACK_LINES) {
    this.#scrollback = scrollback
    this.#emulator = open(columns, rows, scrollback)
    this.#extras = new Extras(this.#emulator)
    this.#pending = new Pending(this.#emulator.core)
  }

  static restore({ columns, rows, scrollback, data }: Snapshot): Screen {
    const screen = new Screen(columns, rows, scrollback)
    screen.write(Buffer.from(data, 'base64'))
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
    if (bytes.length === 0) return
    const { _inputHandler } = this.#emulator.core
    try {
      _inputHandler.parse(bytes)
    } catch {
      // Whatever a program wrote must not be an end of who watches it: the rest of this piece is missing.
      _inputHandler._parser.reset()
    }
    this.#pending.after(bytes)
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
    const state = new TextEncoder().encode(render(this.#emulator.core, this.#extras))
    const pending = this.#pending.bytes()
    const all = new Uint8Array(state.length + pending.length)
    all.set(state)
    all.set(pending, state.length)
    return all
  }

  /** What of it fits into a window of another size. */
  picture(window: Window): Picture {
    return picture(this.#emulator.core, this.#extras, window)
  }

  /** This screen as JSON: one restored from it goes on as if it had never stopped. */
  snapshot(): Snapshot {
    const { columns, rows } = this
    const data = Buffer.from(this.render()).toString('base64')
    return { columns, rows, scrollback: this.#scrollback, data }
  }

  dispose(): void {
    this.#emulator.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
