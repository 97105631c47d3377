/**
 * Input on its way to a program, kept until the program's terminal has it, so that it arrives exactly once, over any number
 * of connections and daemons. Pure: terminals and the page use it.
 */

const WINDOW = 64 * 1024 // unconfirmed bytes under way

export class InputQueue {
  /** Its bytes are never changed, so parts of it are given away. */
  #kept = new Uint8Array(0)
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

  /** The unconfirmed bytes. */
  get kept(): Uint8Array {
    return this.#kept
  }

  push(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#kept.length + bytes.length)
    all.set(this.#kept)
    all.set(bytes, this.#kept.length)
    this.#kept = all
    this.flush()
  }

  /** Confirms that the terminal has everything before `offset`. */
  taken(offset: number): void {
    const more = Math.max(0, Math.min(offset - this.#start, this.#sent))
    this.#kept = this.#kept.subarray(more)
    this.#start += more
    this.#sent -= more
    this.flush()
  }

  /** Stops sending while there is no connection. What was sent may or may not have arrived. */
  pause(): void {
    this.#send = undefined
  }

  /** Sends the rest over another connection. Its daemon has reported that the terminal has everything before `offset`. */
  goTo(send: (bytes: Uint8Array) => void, offset: number): void {
    this.taken(offset)
    this.#start = Math.max(this.#start, offset) // bytes that were dropped after sending have arrived
    this.#send = send
    this.#sent = 0
    this.flush()
  }

  /** Forgets and returns what has not been sent; without a connection, also what may have been sent in vain. */
  drop(): Uint8Array {
    const keep = this.#send ? this.#sent : 0
    const dropped = this.#kept.slice(keep)
    this.#kept = this.#kept.slice(0, keep)
    this.#sent = keep
    return dropped
  }

  /** The program is gone, and with it what is under way. Returns what was never sent, or was sent in vain. */
  end(): Uint8Array {
    const dropped = this.drop()
    this.#send = undefined
    this.#kept = new Uint8Array(0)
    this.#sent = 0
    return dropped
  }

  flush(): void {
    const size = Math.min(this.#kept.length, WINDOW) - this.#sent
    if (!this.#send || size <= 0) return
    const bytes = this.#kept.slice(this.#sent, this.#sent + size)
    this.#sent += size
    this.#send(bytes)
  }
}
