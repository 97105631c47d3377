/**
 * Slows down guessing. A token has at least 128 bits, so nobody guesses one; this keeps a script that tries from filling
 * the log and the processor. Signed-in browsers are not affected, whatever others try.
 */

const FREE_TRIES = 5
const FIRST_MS = 10_000
const LONGEST_MS = 5 * 60_000
const MAX_ADDRESSES = 1000 // remembered; then the oldest is forgotten

interface Tries {
  readonly failed: number
  readonly until: number
}

export class Lockout {
  readonly #tries = new Map<string, Tries>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Returns the milliseconds for which an address may not try; 0 if it may. */
  waits(address: string): number {
    return Math.max(0, (this.#tries.get(address)?.until ?? 0) - this.#now())
  }

  failed(address: string): void {
    const failed = (this.#tries.get(address)?.failed ?? 0) + 1
    const over = failed - FREE_TRIES
    const until = over < 0 ? 0 : this.#now() + Math.min(FIRST_MS * 2 ** over, LONGEST_MS)
    this.#tries.delete(address) // so that it becomes the newest
    this.#tries.set(address, { failed, until })
    const [oldest] = this.#tries.keys()
    if (this.#tries.size > MAX_ADDRESSES && oldest !== undefined) this.#tries.delete(oldest)
  }

  succeeded(address: string): void {
    this.#tries.delete(address)
  }
}
