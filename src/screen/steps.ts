/** Work in steps of about a millisecond with a result at the end. Loads no emulator. */

export type Steps<T> = Generator<undefined, T, undefined>

/** Does all of it now. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
