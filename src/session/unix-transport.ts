/** The transport over a unix socket, the only one that can pass descriptors. */
import type { Socket } from 'bun'
import { peerCredentials } from '../../ffi/descriptors.ts'
import type { Transport, TransportUser } from './transport.ts'

const MAX_QUEUED = 64 << 20 // bytes; only control replies can reach it, terminal output stops far below

export class UnixTransport implements Transport {
  readonly passesDescriptors = true
  readonly origin = 'local'
  readonly peer: number
  readonly #socket: Socket<UnixTransport | undefined>
  #user: TransportUser | undefined
  #queue: Uint8Array[] = []
  #queued = 0
  #isGone = false

  constructor(socket: Socket<UnixTransport | undefined>) {
    this.#socket = socket
    this.peer = peerCredentials((socket as unknown as { fd: number }).fd).pid
  }

  /** Sets the user, before the first bytes arrive. */
  serve(user: TransportUser): void {
    this.#user = user
  }

  get queued(): number {
    return this.#queued
  }

  data(bytes: Uint8Array): void {
    this.#user?.data(bytes)
  }

  send(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (this.#isGone) return
      const sent = this.#queue.length ? 0 : this.#socket.write(part)
      if (sent < 0) return this.close()
      if (sent === part.length) continue
      this.#queue.push(Uint8Array.prototype.slice.call(part, sent))
      this.#queued += part.length - sent
    }
    if (this.#queued > MAX_QUEUED) this.close()
  }

  pause(isPaused: boolean): void {
    if (this.#isGone) return
    if (isPaused) this.#socket.pause()
    else this.#socket.resume()
  }

  drain(): void {
    while (this.#queue[0]) {
      const first = this.#queue[0]
      const n = this.#socket.write(first)
      if (n < 0) return this.close()
      this.#queued -= n
      if (n < first.length) {
        this.#queue[0] = first.subarray(n)
        return
      }
      this.#queue.shift()
    }
    this.#user?.drained()
  }

  close(): void {
    this.#socket.end()
    this.gone()
  }

  gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#user?.gone()
  }
}
