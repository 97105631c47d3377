/** A terminal that was thrown with a finger goes on and slows down. Pure. */

const DECAY_MS = 325 // the speed falls to a third in this time, as on phones
const MOST = 6 // pixels per millisecond: some 300 rows a second
const LEAST = 0.04 // slower than that nothing seems to move

export class Momentum {
  #speed: number
  #at: number

  /** `speed` in pixels per millisecond. */
  constructor(speed: number, now: number) {
    this.#speed = Math.max(-MOST, Math.min(MOST, speed))
    this.#at = now
  }

  get isOver(): boolean {
    return Math.abs(this.#speed) < LEAST
  }

  /** The pixels since the last step. */
  step(now: number): number {
    const ms = Math.max(0, now - this.#at)
    this.#at = now
    const before = this.#speed
    this.#speed *= Math.exp(-ms / DECAY_MS)
    return (before - this.#speed) * DECAY_MS
  }
}

/** Adds pixels up to whole steps, so that slow moves get somewhere, too. */
export class Steps {
  #rest = 0

  /** Returns the whole steps of `size` pixels. */
  add(pixels: number, size: number): number {
    this.#rest += pixels
    const steps = Math.trunc(this.#rest / size)
    this.#rest -= steps * size
    return steps
  }
}
