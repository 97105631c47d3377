/**
 * Divides long work for several terminals on the one event loop into slices. The rest of the daemon gets its turn
 * between two slices, and each terminal gets as many as any other, however much work it has.
 */
import type { Steps } from './steps.ts'

/** A call or key of a user takes some ten turns of the loop, which together must stay below 50 ms. */
const SLICE_MS = 2

const waiting: Steps<void>[] = []
let isScheduled = false

/** `atOnce`: work that fits into one slice is finished on return, if nobody else waits. */
export function work(steps: Steps<void>, atOnce: boolean): void {
  if (atOnce && waiting.length === 0 && isDone(steps)) return
  waiting.push(steps)
  schedule()
}

/** Resolves with the result of the steps; other work gets its turns in between. */
export function inSlices<T>(steps: Steps<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  function* settling(): Steps<void> {
    try {
      resolve(yield* steps)
    } catch (error) {
      reject(error)
    }
  }
  work(settling(), false)
  return promise
}

function schedule(): void {
  if (isScheduled || waiting.length === 0) return
  isScheduled = true
  setImmediate(() => {
    isScheduled = false
    const next = waiting.shift()
    if (next && !isDone(next)) waiting.push(next)
    schedule()
  })
}

/** Runs one slice. */
function isDone(steps: Steps<void>): boolean {
  const until = performance.now() + SLICE_MS
  do {
    if (steps.next().done) return true
  } while (performance.now() < until)
  return false
}
