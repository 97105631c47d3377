/**
 * One terminal of a box on a channel of the connection: its output in order and without gaps that nobody knows of, and
 * its input exactly once, over any number of connections.
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import { CoopError } from '../../src/core/errors.ts'
import type { WindowSize } from '../../src/core/window-size.ts'
import { InputQueue } from '../../src/protocol/input-queue.ts'
import type { ExitMessage } from '../../src/protocol/server-messages.ts'
import { type ChannelUser, type Connection, ConnectionLost } from './connection.ts'

/** Shows what arrives. */
export interface LineUser {
  /** Output that follows what was shown before. */
  output(bytes: Uint8Array, offset: number, shown: () => void): void
  /** Bytes that bring a freshly reset terminal to the program's screen. */
  screen(bytes: Uint8Array, offset: number, shown: () => void): void
  /** Bytes that change the screen before; the window's size differs from the terminal's. */
  picture(bytes: Uint8Array, shown: () => void): void
  notice(text: string): void
  ended(message: ExitMessage): void
  refused(error: CoopError): void
  /** What was typed did not reach the program, and never will. */
  dropped(bytes: Uint8Array): void
  /** The program's terminal has everything that was typed before this offset (see `typed`). */
  taken?(offset: number): void
}

export type LineState = 'attaching' | 'attached' | 'waiting' | 'ended'

const MAX_OFFLINE = 4096 // bytes that a person types without an answer; more is a paste that they will not remember

export interface LineOptions {
  readonly box: string
  readonly pty: number
  readonly readonly: boolean
}

export class TerminalLine implements ChannelUser {
  readonly #connection: Connection
  readonly #options: LineOptions
  readonly #user: LineUser
  readonly #channel: number
  readonly #input = new InputQueue()
  readonly #state = signal<LineState>('waiting')
  readonly #unsent = signal<Uint8Array>(new Uint8Array(0))
  /** The next byte of output that is lacking; undefined while pictures are shown, which have no place in the output. */
  #next: number | undefined
  /** Whether output has followed the last screen: a screen of a window of another size cannot be continued. */
  #isContinued = false
  #hasAttached = false
  #size: WindowSize | undefined
  #visible = false
  /** Counts attempts to attach: an answer to an earlier one is of no interest. */
  #turn = 0

  constructor(connection: Connection, options: LineOptions, user: LineUser) {
    this.#connection = connection
    this.#options = options
    this.#user = user
    this.#channel = connection.takeChannel(this)
  }

  get state(): ReadonlySignal<LineState> {
    return this.#state
  }

  /** What was typed while there was no connection, and waits for one. */
  get unsent(): ReadonlySignal<Uint8Array> {
    return this.#unsent
  }

  /** How many bytes were typed so far, with those that are still under way. */
  get typed(): number {
    return this.#input.start + this.#input.size
  }

  /** The offset after what is shown; undefined while pictures are shown. */
  get next(): number | undefined {
    return this.#next
  }

  /** Begins to show the terminal, or shows it again after its end. `anew`: from its screen, whatever is shown now. */
  attach(anew = false): void {
    if (anew) this.#isContinued = false
    if (this.#connection.isOnline) void this.#attach()
    else this.#state.value = 'waiting'
  }

  async #attach(): Promise<void> {
    const turn = ++this.#turn
    this.#state.value = 'attaching'
    // The daemon counts on from what it has when it answers, and gets the rest once more. Input that is sent meanwhile would
    // be counted in the place of other input, which is lost then.
    this.#input.pause()
    const { box, pty, readonly } = this.#options
    // A hidden window attaches without a size, so that it changes nobody's.
    const size = this.#visible ? this.#size : undefined
    try {
      const request = {
        ...{ box, cwd: '', pty, readonly, terminal: 'browser' },
        ...(size ? { size } : {}),
        ...(this.#isContinued && this.#next !== undefined ? { from: this.#next } : {}),
        ...(this.#hasAttached ? { typed: this.#input.start } : {}),
      }
      const { taken } = await this.#connection.call('attach', request, this.#channel)
      if (turn !== this.#turn) return
      this.#hasAttached = true
      this.#state.value = 'attached'
      if (this.#size) this.#connection.resize(this.#channel, this.#size, this.#visible)
      this.#input.goTo((bytes) => this.#connection.input(this.#channel, bytes), taken)
      this.#unsent.value = new Uint8Array(0)
      this.#user.taken?.(this.#input.start)
    } catch (error) {
      if (turn !== this.#turn || error instanceof ConnectionLost) return // `lost` was called, too
      this.#end()
      this.#user.refused(error instanceof CoopError ? error : new CoopError('E_FAILED', String(error)))
    }
  }

  /** Sends input, or keeps it until there is a connection again. */
  send(bytes: Uint8Array): void {
    if (this.#options.readonly || this.#state.value === 'ended' || !bytes.length) return
    if (this.#state.value === 'waiting') {
      const waiting = this.#unsent.value.length
      if (waiting + bytes.length > MAX_OFFLINE) return this.#user.dropped(bytes)
      const more = new Uint8Array(waiting + bytes.length)
      more.set(this.#unsent.value)
      more.set(bytes, waiting)
      this.#unsent.value = more
    }
    this.#input.push(bytes)
  }

  /** Forgets what was typed without a connection. */
  dropUnsent(): void {
    this.#input.drop()
    this.#unsent.value = new Uint8Array(0)
  }

  resize(size: WindowSize, visible: boolean): void {
    const before = this.#size
    const isSame =
      before?.columns === size.columns &&
      before.rows === size.rows &&
      before.width === size.width &&
      before.height === size.height &&
      this.#visible === visible
    if (isSame) return
    this.#size = size
    this.#visible = visible
    if (this.#state.value === 'attached') this.#connection.resize(this.#channel, size, visible)
  }

  close(): void {
    this.#turn++
    this.#state.value = 'ended'
    this.#connection.closeChannel(this.#channel)
  }

  output(offset: number, bytes: Uint8Array, shown: () => void): void {
    const known = Math.max(0, (this.#next ?? offset) - offset)
    if (known >= bytes.length) return shown()
    this.#next = offset + bytes.length
    this.#isContinued = true
    this.#user.output(bytes.subarray(known), offset + known, shown)
  }

  screen(offset: number, bytes: Uint8Array, shown: () => void): void {
    this.#next = offset
    this.#isContinued = false
    this.#user.screen(bytes, offset, shown)
  }

  picture(_offset: number, bytes: Uint8Array, shown: () => void): void {
    this.#next = undefined
    this.#isContinued = false
    this.#user.picture(bytes, shown)
  }

  taken(count: number): void {
    this.#input.taken(count)
    this.#user.taken?.(this.#input.start)
  }

  notice(text: string): void {
    this.#user.notice(text)
  }

  exit(message: ExitMessage): void {
    this.#turn++
    this.#end()
    this.#user.ended(message)
  }

  #end(): void {
    const dropped = this.#input.end()
    this.#unsent.value = new Uint8Array(0)
    this.#state.value = 'ended'
    this.#isContinued = false
    if (dropped.length) this.#user.dropped(dropped)
  }

  connected(): void {
    if (this.#state.value === 'waiting') void this.#attach()
  }

  lost(): void {
    this.#turn++
    this.#input.pause()
    if (this.#state.value === 'ended') return
    this.#state.value = 'waiting'
    this.#unsent.value = this.#input.kept
  }
}
