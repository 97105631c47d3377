/** Connections to the ports of boxes that wait for the next request. */
import type { Wire } from './wire.ts'

const IDLE_MS = 4_000 // node hangs up after 5 s
const MAX_IDLE = 8 // for each port; browsers open six

interface Idle {
  readonly wire: Wire
  readonly timer: Timer
}

export class Pool {
  readonly #idle = new Map<string, Idle[]>()

  /** Takes a connection out; undefined if none is left. */
  take(key: string): Wire | undefined {
    const idle = this.#idle.get(key)
    for (let last = idle?.pop(); last; last = idle?.pop()) {
      clearTimeout(last.timer)
      if (!last.wire.hasEnded) {
        last.wire.use(undefined)
        return last.wire
      }
    }
    return undefined
  }

  /** Keeps a connection for a while. */
  put(key: string, wire: Wire): void {
    const idle = this.#idle.get(key) ?? []
    if (idle.length >= MAX_IDLE) return wire.close()
    this.#idle.set(key, idle)
    // Bytes that nobody asked for would be taken for the next answer.
    wire.use({ data: () => wire.close(), ended: () => this.#drop(key, wire) })
    const timer = setTimeout(() => wire.close(), IDLE_MS)
    timer.unref()
    idle.push({ wire, timer })
  }

  #drop(key: string, wire: Wire): void {
    const idle = this.#idle.get(key) ?? []
    const left = idle.filter((one) => one.wire !== wire)
    for (const { timer } of idle.filter((one) => one.wire === wire)) clearTimeout(timer)
    if (left.length) this.#idle.set(key, left)
    else this.#idle.delete(key)
  }

  close(): void {
    for (const idle of [...this.#idle.values()]) for (const { wire } of [...idle]) wire.close()
  }
}
