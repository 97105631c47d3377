/** For tests: a clock that is moved by hand. */
import type { Clock } from './clock.ts'

interface Due {
  readonly at: number
  readonly run: () => void
}

export class HandClock implements Clock {
  #now = 1_000_000
  readonly #due = new Set<Due>()

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const due = { at: this.#now + ms, run }
    this.#due.add(due)
    return () => this.#due.delete(due)
  }

  /** Whether anything is to happen. */
  get isIdle(): boolean {
    return this.#due.size === 0
  }

  /** Moves on, and runs what becomes due, in its order. */
  pass(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#due].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)
      if (!next) break
      this.#due.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = end
  }
}
