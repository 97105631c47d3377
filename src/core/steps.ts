/** Work that comes in steps of about a millisecond, with a result at its end. */

export type Steps<T> = Generator<undefined, T, undefined>

/** All of it now. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** As much of it as can be done in a time; the rest is given up. */
export function attempt(steps: Steps<unknown>, milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until) if (steps.next().done) return
  steps.return(undefined)
}
