/** One PTY of a box as the daemon holds it: reads the master, keeps the ring, offers bytes to clients. */
import {
  closeDescriptor,
  isReadable,
  setNonblocking,
  setWindowSize,
  writeNonblocking,
} from '../../ffi/pty.ts'
import type { WindowSize } from './process.ts'
import type { Ring } from './ring.ts'

/** Somebody who watches a PTY. Must not block: it queues or drops by itself. */
export interface PtyClient {
  /** `offset` is where in the stream `bytes` begin. */
  output(offset: number, bytes: Uint8Array): void
  /** The size of the client's window; undefined when it does not count (hidden, read-only). */
  readonly size: WindowSize | undefined
}

const MAX_INPUT = 1 << 20 // bytes queued for a program that does not read; more is refused
const INPUT_RETRY_MS = 2 // a terminal takes 4 KiB at a time and has no event for "room again" here

export class Pty {
  readonly id: number
  readonly ring: Ring
  readonly #master: number
  readonly #clients = new Set<PtyClient>()
  #size: WindowSize
  #input: Uint8Array[] = []
  #inputSize = 0
  #retry: Timer | undefined
  #closed = false
  #closers: (() => void)[] = []
  #cancel: () => void = () => {}

  /** Owns `master` from now on. */
  constructor(id: number, master: number, ring: Ring, size: WindowSize) {
    this.id = id
    this.ring = ring
    this.#master = master
    this.#size = size
    setNonblocking(master)
    void this.#pump()
  }

  get clients(): number {
    return this.#clients.size
  }

  get size(): WindowSize {
    return this.#size
  }

  attach(client: PtyClient): void {
    this.#clients.add(client)
    this.fit()
  }

  detach(client: PtyClient): void {
    if (this.#clients.delete(client)) this.fit()
  }

  /** Input, in order. False when the program has not read for so long that no more is taken. */
  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#inputSize + bytes.length > MAX_INPUT) return false
    this.#input.push(Uint8Array.from(bytes))
    this.#inputSize += bytes.length
    if (!this.#retry) this.#writeInput()
    return true
  }

  /** Take the smallest of the clients' windows. */
  fit(): void {
    const sizes = [...this.#clients].flatMap((client) => client.size ?? [])
    if (!sizes.length) return
    const columns = Math.min(...sizes.map((size) => size.columns))
    const rows = Math.min(...sizes.map((size) => size.rows))
    if (columns === this.#size.columns && rows === this.#size.rows) return
    this.#size = { columns, rows }
    setWindowSize(this.#master, columns, rows)
  }

  /** Make a full-screen program draw itself again, by a change of size and back (SIGWINCH). */
  redraw(): void {
    const { columns, rows } = this.#size
    setWindowSize(this.#master, columns, Math.max(1, rows - 1))
    setWindowSize(this.#master, columns, rows)
  }

  /** Something that coop itself says on the terminal. */
  say(text: string): void {
    this.#output(Buffer.from(text))
  }

  /** Resolves when everything that was written before has been read. */
  async drained(): Promise<void> {
    while (!this.#closed && isReadable(this.#master)) await new Promise((resolve) => setImmediate(resolve))
    // A chunk that has been read is handed over before the event loop turns.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Be told when the terminal is gone. */
  onClose(tell: () => void): void {
    this.#closers.push(tell)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#retry)
    this.#cancel()
    closeDescriptor(this.#master)
    for (const tell of this.#closers) tell()
    this.ring.close()
  }

  // Init keeps the terminal's other side open, so that this ends only with `close`, also between restarts.
  async #pump(): Promise<void> {
    const reader = Bun.file(this.#master).stream().getReader()
    this.#cancel = () => void reader.cancel().catch(() => {})
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done || this.#closed) return
        this.#output(value)
      }
    } catch {
      // The box has ended: its end is told elsewhere.
    }
  }

  #output(bytes: Uint8Array): void {
    if (this.#closed) return
    const offset = this.ring.offset
    this.ring.append(bytes)
    for (const client of this.#clients) client.output(offset, bytes)
  }

  #writeInput(): void {
    this.#retry = undefined
    while (this.#input[0] && !this.#closed) {
      const first = this.#input[0]
      const n = writeNonblocking(this.#master, first)
      if (n < 0) {
        this.#input = []
        this.#inputSize = 0
        return
      }
      this.#inputSize -= n
      if (n < first.length) {
        this.#input[0] = first.subarray(n)
        this.#retry = setTimeout(() => this.#writeInput(), INPUT_RETRY_MS)
        return
      }
      this.#input.shift()
    }
  }
}
