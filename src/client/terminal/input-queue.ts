/** Input on its way to a program: kept until its terminal has taken it, so that the next daemon gets what is left. */

const WINDOW = 64 * 1024 // bytes under way that nobody has confirmed

export class InputQueue {
  #kept: Buffer = Buffer.alloc(0)
  /** Of all that was ever typed: the offset of the first byte that is kept. */
  #start = 0
  /** Of what is kept: bytes that were sent. */
  #sent = 0
  #send: ((bytes: Uint8Array) => void) | undefined

  /** Bytes that nobody has taken yet. */
  get size(): number {
    return this.#kept.length
  }

  /** How much has been taken, of all that was ever typed. */
  get start(): number {
    return this.#start
  }

  push(bytes: Uint8Array): void {
    this.#kept = Buffer.concat([this.#kept, bytes])
    this.flush()
  }

  /** The terminal has everything before `offset`. */
  taken(offset: number): void {
    const more = Math.max(0, Math.min(offset - this.#start, this.#sent))
    this.#kept = this.#kept.subarray(more)
    this.#start += more
    this.#sent -= more
  }

  /** Nobody is there to send anything to, for now. */
  pause(): void {
    this.#send = undefined
  }

  /** Another session, whose daemon knows that the terminal has everything before `offset`: the rest goes there. */
  goTo(send: (bytes: Uint8Array) => void, offset: number): void {
    this.taken(offset)
    this.#send = send
    this.#sent = 0
    this.flush()
  }

  flush(): void {
    const size = Math.min(this.#kept.length, WINDOW) - this.#sent
    if (!this.#send || size <= 0) return
    const bytes = new Uint8Array(this.#kept.subarray(this.#sent, this.#sent + size))
    this.#sent += size
    this.#send(bytes)
  }
}
