/**
 * Decides when a person is told that an agent waits: after it has waited for some seconds, and at most once a minute for
 * each box. Serves the daemon (Web Push) and the page. Pure but for its timers.
 */

import { type Clock, realClock } from '../core/clock.ts'

/** An agent that goes on by itself, or is answered at the desk, within so long is no reason to take up a phone. */
export const DWELL_MS = 5_000
/** Between two notices of a box, which decides how often it asks. */
export const COOL_DOWN_MS = 60_000
const MAX_BOXES = 1024 // whose last notices are remembered

export interface Waiting {
  /** When it began to wait, in milliseconds since 1970. */
  readonly since: number
  /** Its question or message. */
  readonly text?: string | undefined
}

interface Pending {
  waiting: Waiting
  readonly cancel: () => void
}

export class NoticeClock {
  readonly #tell: (box: string, waiting: Waiting) => void
  readonly #clock: Clock
  readonly #pending = new Map<string, Pending>()
  /** What the last notice of each box said, while it still waits for the same. */
  readonly #said = new Map<string, Waiting>()
  readonly #toldAt = new Map<string, number>()

  constructor(tell: (box: string, waiting: Waiting) => void, clock: Clock = realClock) {
    this.#tell = tell
    this.#clock = clock
  }

  /** An agent waits, or says something else while it waits. */
  waits(box: string, waiting: Waiting): void {
    const pending = this.#pending.get(box)
    if (pending) {
      pending.waiting = waiting // the dwell goes on: a message that changes all the time delays nothing
      return
    }
    const said = this.#said.get(box)
    if (said && said.since === waiting.since && said.text === waiting.text) return
    const cool = (this.#toldAt.get(box) ?? Number.NEGATIVE_INFINITY) + COOL_DOWN_MS - this.#clock.now()
    const cancel = this.#clock.after(Math.max(DWELL_MS, cool), () => this.#due(box))
    this.#pending.set(box, { waiting, cancel })
  }

  /** A person knows already that it waits. */
  known(box: string, waiting: Waiting): void {
    this.stops(box)
    this.#said.set(box, waiting)
  }

  /** It goes on, or its box is gone. */
  stops(box: string): void {
    this.#pending.get(box)?.cancel()
    this.#pending.delete(box)
    this.#said.delete(box)
  }

  /** Drops everything that is pending. */
  end(): void {
    for (const { cancel } of this.#pending.values()) cancel()
    this.#pending.clear()
    this.#said.clear()
  }

  #due(box: string): void {
    const pending = this.#pending.get(box)
    if (!pending) return
    this.#pending.delete(box)
    this.#said.set(box, pending.waiting)
    this.#toldAt.delete(box) // so that the oldest stands first
    this.#toldAt.set(box, this.#clock.now())
    const [oldest] = this.#toldAt.keys()
    if (this.#toldAt.size > MAX_BOXES && oldest !== undefined) this.#toldAt.delete(oldest)
    this.#tell(box, pending.waiting)
  }
}
