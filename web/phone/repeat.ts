/** A key that is held down repeats. */
import type { Clock } from '../../src/core/clock.ts'

const FIRST_MS = 300
const NEXT_MS = 100

export class Repeater {
  readonly #clock: Clock
  #cancel: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Types the key now, and again until `release`. */
  press(type: () => void): void {
    this.release()
    type()
    const again = (ms: number): void => {
      this.#cancel = this.#clock.after(ms, () => {
        again(NEXT_MS)
        type()
      })
    }
    again(FIRST_MS)
  }

  release(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
