/** Input on its way to a program, kept until the program's terminal has it, so that the next daemon gets the rest. */

const WINDOW = 64 * 1024 // unconfirmed bytes under way

export class InputQueue {
  #kept: Buffer = Buffer.alloc(0)
  /** The offset of the first kept byte in the whole input. */
  #start = 0
  /** How many of the kept bytes were sent. */
  #sent = 0
  #send: ((bytes: Uint8Array) => void) | undefined

  /** The number of unconfirmed bytes. */
  get size(): number {
    return this.#kept.length
  }

  /** The number of confirmed bytes of the whole input. */
  get start(): number {
    return this.#start
  }

  push(bytes: Uint8Array): void {
    this.#kept = Buffer.concat([this.#kept, bytes])
    this.flush()
  }

  /** Confirms that the terminal has everything before `offset`. */
  taken(offset: number): void {
    const more = Math.max(0, Math.min(offset - this.#start, this.#sent))
    this.#kept = this.#kept.subarray(more)
    this.#start += more
    this.#sent -= more
  }

  /** Stops sending while there is no daemon. */
  pause(): void {
    this.#send = undefined
  }

  /** Sends the rest to another session. Its daemon has reported that the terminal has everything before `offset`. */
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
