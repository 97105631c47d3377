/**
 * Earlier output. A screen of the daemon brings at most its emulator's scrollback; the ring behind it may have more
 * lines, as after a flood of short ones. Those are fetched once it is quiet, and put before the screen.
 */
import type { Terminal } from '@xterm/xterm'
import { SCROLLBACK_LINES, scrollbackOf } from '../../src/screen/limits.ts'
import type { Connection } from '../connection/connection.ts'
import { join } from '../connection/pieces.ts'
import { readRing } from '../connection/read-ring.ts'

const QUIET_MS = 400 // after a screen: a flood on a slow line brings one every 100 ms
const MAX_TAIL = 1 << 20 // bytes of output while the ring is fetched

/** The parts of a pane that are needed. */
export interface Scrolled {
  readonly box: string
  readonly pty: number
  readonly terminal: Terminal
  replace(bytes: Uint8Array): void
}

interface Screen {
  readonly bytes: Uint8Array
  readonly offset: number
}

export class Scrollback {
  readonly #connection: Connection
  readonly #pane: Scrolled
  #screen: Screen | undefined
  /** Output since the screen. */
  #tail: Uint8Array[] = []
  #tailSize = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(connection: Connection, pane: Scrolled) {
    this.#connection = connection
    this.#pane = pane
  }

  /** A screen came. From now on output belongs behind it, even before it is drawn. */
  screen(bytes: Uint8Array, offset: number): void {
    this.forget()
    this.#screen = { bytes, offset }
  }

  /** The screen of that offset was drawn. */
  drawn(offset: number): void {
    if (this.#screen?.offset !== offset) return
    const { terminal } = this.#pane
    const most = scrollbackOf(terminal.cols, terminal.rows, SCROLLBACK_LINES)
    // With fewer lines than that the emulator has lost none.
    if (terminal.buffer.normal.baseY < most || terminal.options.scrollback === 0) this.forget()
    else this.#wait()
  }

  output(bytes: Uint8Array, _offset: number): void {
    if (!this.#screen) return
    this.#tail.push(bytes)
    this.#tailSize += bytes.length
    if (this.#tailSize > MAX_TAIL) this.forget() // the ring no longer reaches back to the screen
  }

  /**
   * The terminal has another size: the screen that earlier lines would come before does not fit it. Returns whether such
   * lines were still to come, and need another screen.
   */
  resized(): boolean {
    const wasWaiting = this.#screen !== undefined
    this.forget()
    return wasWaiting
  }

  forget(): void {
    clearTimeout(this.#timer)
    this.#screen = undefined
    this.#tail = []
    this.#tailSize = 0
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#fetch(), QUIET_MS)
  }

  async #fetch(): Promise<void> {
    const screen = this.#screen
    const { terminal } = this.#pane
    if (!screen) return
    if (terminal.hasSelection()) return this.#wait() // it would be lost
    const { box, pty } = this.#pane
    const found = Promise.all([
      readRing(this.#connection, box, pty, screen.offset),
      import('./lines-before.ts'),
    ]).catch(() => undefined) // the lines that are shown stay; the next connection brings another screen
    const [ring, module] = (await found) ?? []
    if (!ring || !module || screen !== this.#screen) return
    const before = await module.linesBefore(terminal, ring, screen.bytes)
    if (screen !== this.#screen || !before) return
    this.#pane.replace(join([before, screen.bytes, ...this.#tail]))
    this.forget()
  }
}
