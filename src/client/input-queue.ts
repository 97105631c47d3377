/** Input on its way to a program: kept until its terminal has taken it, so that the next daemon gets what is left. */

const WINDOW = 64 * 1024 // bytes under way that nobody has confirmed

export class InputQueue {
  #kept: Buffer = Buffer.alloc(0)
  /** Of what is kept: bytes that were sent. */
  #sent = 0
  /** Bytes that this session's terminal has taken. */
  #taken = 0
  #send: ((bytes: Uint8Array) => void) | undefined

  /** Bytes that nobody has taken yet. */
  get size(): number {
    return this.#kept.length
  }

  push(bytes: Uint8Array): void {
    this.#kept = Buffer.concat([this.#kept, bytes])
    this.flush()
  }

  /** The terminal has taken `count` bytes since this session began. */
  taken(count: number): void {
    const more = Math.min(count - this.#taken, this.#sent)
    this.#taken = count
    this.#kept = this.#kept.subarray(more)
    this.#sent -= more
  }

  /** Another session: everything that was not taken goes there. Undefined: nowhere for now. */
  goTo(send: ((bytes: Uint8Array) => void) | undefined): void {
    this.#send = send
    this.#sent = 0
    this.#taken = 0
    this.flush()
  }

  flush(): void {
    const size = Math.min(this.#kept.length, WINDOW) - this.#sent
    if (!this.#send || size <= 0) return
    const bytes = Uint8Array.from(this.#kept.subarray(this.#sent, this.#sent + size))
    this.#sent += size
    this.#send(bytes)
  }
}
