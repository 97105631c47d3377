/**
 * Tells the daemon how much of each channel's output has been shown: it has only so much on the way (src/session/feed.ts). A
 * receipt for each frame would be as many messages again, so small amounts wait for more.
 */

const ENOUGH = 8 * 1024 // bytes: a sixth of what the daemon has on the way at most
const WAIT_MS = 100

interface Count {
  shown: number
  told: number
}

export class Receipts {
  readonly #tell: (channel: number, shown: number) => void
  readonly #counts = new Map<number, Count>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(tell: (channel: number, shown: number) => void) {
    this.#tell = tell
  }

  shown(channel: number, bytes: number): void {
    const count = this.#counts.get(channel) ?? { shown: 0, told: 0 }
    this.#counts.set(channel, count)
    count.shown += bytes
    if (count.shown - count.told >= ENOUGH) this.#send(channel, count)
    else this.#timer ??= setTimeout(() => this.#sendAll(), WAIT_MS)
  }

  #sendAll(): void {
    this.#timer = undefined
    for (const [channel, count] of this.#counts) if (count.shown > count.told) this.#send(channel, count)
  }

  #send(channel: number, count: Count): void {
    count.told = count.shown
    this.#tell(channel, count.shown)
  }

  /** The channel is closed: a later one of its number counts anew. */
  forget(channel: number): void {
    this.#counts.delete(channel)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#counts.clear()
  }
}
