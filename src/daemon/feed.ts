/** One client's view of a PTY: sends output as fast as the client takes it, from the ring when it fell behind. */
import type { WindowSize } from '../box/process.ts'
import type { Pty, PtyClient } from '../box/pty.ts'
import { encodeOutput } from '../protocol/frames.ts'

/** What a feed needs of a connection. */
export interface Outlet {
  /** Bytes that wait to be sent. */
  readonly queued: number
  send(frame: Uint8Array): void
  notice(text: string): void
}

const HIGH_WATER = 256 * 1024 // bytes queued per client; the ring keeps the rest
const CHUNK = 64 * 1024

export class Feed implements PtyClient {
  readonly pty: Pty
  readonly readonly: boolean
  readonly #outlet: Outlet
  #size: WindowSize | undefined
  /** The next offset that the client gets. */
  #next: number

  constructor(pty: Pty, outlet: Outlet, readonly: boolean, size: WindowSize | undefined) {
    this.pty = pty
    this.readonly = readonly
    this.#outlet = outlet
    this.#size = readonly ? undefined : size
    this.#next = pty.ring.start
    pty.attach(this)
    this.catchUp()
  }

  get size(): WindowSize | undefined {
    return this.#size
  }

  resize(size: WindowSize): void {
    if (this.readonly) return
    this.#size = size
    this.pty.fit()
  }

  output(offset: number, bytes: Uint8Array): void {
    if (offset !== this.#next || this.#outlet.queued > HIGH_WATER) return // catchUp sends it from the ring
    this.#next = offset + bytes.length // first: sending may call catchUp
    this.#outlet.send(encodeOutput(offset, bytes))
  }

  /** Send what the ring has and the client does not, while the client takes it. Called when it has room. */
  catchUp(): void {
    if (this.#next >= this.pty.ring.offset) return
    if (this.#next < this.pty.ring.start) {
      this.#outlet.notice(
        `${this.pty.ring.start - this.#next} bytes of output were too fast for this terminal`,
      )
    }
    const { from, bytes } = this.pty.ring.read(this.#next)
    this.#next = from
    for (let at = 0; at < bytes.length && this.#outlet.queued <= HIGH_WATER; at += CHUNK) {
      const chunk = bytes.subarray(at, at + CHUNK)
      if (this.#next !== from + at) return // sending called us again, and that went further
      this.#next = from + at + chunk.length
      this.#outlet.send(encodeOutput(from + at, chunk))
    }
  }

  close(): void {
    this.pty.detach(this)
  }
}
