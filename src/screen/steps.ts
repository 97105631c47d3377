/** Work that comes in steps of about a millisecond, with a result at its end. Loads no emulator. */

export type Steps<T> = Generator<undefined, T, undefined>

/** All of it now. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
