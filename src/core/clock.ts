/** A clock and its timers, so that what waits for time can be tested without waiting. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Returns the function that cancels it. */
  after(ms: number, run: () => void): () => void
}

export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
