/** Input that waits until the program's terminal takes it. */
import { writeNonblocking } from '../../ffi/pty.ts'
import type { Ring, Typed } from './ring.ts'

export interface Input {
  readonly bytes: Uint8Array
  /** The client that typed these bytes, and how much of its input was written before them; absent for answers. */
  readonly from?: Typed
  /** Called with the amount of that client's input written so far. */
  readonly written?: (offset: number) => void
}

export class PendingInput {
  #pieces: Input[] = []
  #size = 0

  /** Bytes that wait. */
  get size(): number {
    return this.#size
  }

  /** Returns whether other input is waiting before it. */
  add(input: Input): boolean {
    this.#size += input.bytes.length
    return this.#pieces.push(input) > 1
  }

  /** Input that the program is not to get: to its client it counts as written, in its turn. */
  skip(ring: Ring, from: Typed, written: (offset: number) => void): void {
    if (this.#pieces.length) return void this.#pieces.push({ bytes: new Uint8Array(), from, written })
    ring.setTyped(from)
    written(from.offset)
  }

  /** Forgets what one client has typed: it has come back, and sends what was not written once more. */
  forget(typist: number): void {
    this.#pieces = this.#pieces.filter(({ from }) => from?.typist !== typist)
    this.#size = this.#pieces.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** Drops everything; to the clients it counts as written. */
  drop(ring: Ring): void {
    for (const { bytes, from, written } of this.#pieces) {
      if (!from) continue
      const offset = from.offset + bytes.length
      ring.setTyped({ typist: from.typist, offset })
      written?.(offset)
    }
    this.#pieces = []
    this.#size = 0
  }

  /** Writes in order as much as the terminal takes. Returns false if some is left. */
  write(master: number, ring: Ring): boolean {
    for (let next = this.#pieces[0]; next; next = this.#pieces[0]) {
      const { bytes, from, written } = next
      // If the daemon is killed between the next two system calls, this input arrives twice.
      const n = bytes.length ? writeNonblocking(master, bytes) : 0
      const typed = from && { typist: from.typist, offset: from.offset + Math.max(n, 0) }
      if (typed) ring.setTyped(typed)
      if (n < 0) {
        this.#pieces = []
        this.#size = 0
        return true
      }
      this.#size -= n
      if (typed) written?.(typed.offset)
      if (n < bytes.length) {
        this.#pieces[0] = { ...next, bytes: bytes.subarray(n), ...(typed ? { from: typed } : {}) }
        return false
      }
      this.#pieces.shift()
    }
    return true
  }
}
