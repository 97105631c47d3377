/** Tells a scroll from a swipe to the side, by how a finger moves first. Pure. */

const SLOP = 10 // CSS pixels that a finger may tremble during a tap
const SIDEWAYS = 1.4 // times as far to the side as up or down: scrolling is more frequent, and wins when in doubt
const SWIPE = 64 // pixels; a shorter one counts if it is quick
const QUICK = 0.4 // pixels per millisecond
const RECENT_MS = 100 // the time over which a speed is measured
const STILL_MS = 60 // a finger that rested before it left throws nothing

interface Sample {
  readonly x: number
  readonly y: number
  readonly t: number
}

export type Move =
  /** Nothing yet: it may be a tap. */
  | { readonly is: 'tap' }
  /** So many pixels since the last move; a finger that moves up scrolls down. */
  | { readonly is: 'scroll'; readonly by: number }
  /** So many pixels from where it began. */
  | { readonly is: 'swipe'; readonly by: number }

export type End =
  | { readonly is: 'tap' }
  /** In pixels per millisecond, as in `by`. */
  | { readonly is: 'scroll'; readonly speed: number }
  | { readonly is: 'swipe'; readonly to: 'left' | 'right' | undefined }

export class Gesture {
  readonly #start: Sample
  #samples: Sample[]
  #kind: 'tap' | 'scroll' | 'swipe' = 'tap'

  constructor(x: number, y: number, t: number) {
    this.#start = { x, y, t }
    this.#samples = [this.#start]
  }

  move(x: number, y: number, t: number): Move {
    const before = this.#last
    this.#samples = [...this.#samples.filter((sample) => t - sample.t <= RECENT_MS), { x, y, t }]
    const [right, down] = [x - this.#start.x, y - this.#start.y]
    if (this.#kind === 'tap') {
      if (Math.hypot(right, down) < SLOP) return { is: 'tap' }
      this.#kind = Math.abs(right) > SIDEWAYS * Math.abs(down) ? 'swipe' : 'scroll'
      // The way to here decided only what it is; what scrolls begins to move from here on.
      return this.#kind === 'scroll' ? { is: 'scroll', by: 0 } : { is: 'swipe', by: right }
    }
    return this.#kind === 'scroll' ? { is: 'scroll', by: before.y - y } : { is: 'swipe', by: right }
  }

  end(t: number): End {
    const { x, t: at } = this.#last
    const [first = this.#start] = this.#samples
    const ms = at - first.t
    const isStill = t - at > STILL_MS || ms <= 0
    if (this.#kind === 'tap') return { is: 'tap' }
    if (this.#kind === 'scroll') return { is: 'scroll', speed: isStill ? 0 : (first.y - this.#last.y) / ms }
    const far = x - this.#start.x
    const speed = isStill ? 0 : (x - first.x) / ms
    const isThrown = Math.abs(speed) >= QUICK && Math.sign(speed) === Math.sign(far)
    // Moved back at the end: it was thought better of.
    const isTakenBack = Math.abs(speed) >= QUICK && Math.sign(speed) !== Math.sign(far)
    const counts = isThrown || (Math.abs(far) >= SWIPE && !isTakenBack)
    return { is: 'swipe', to: counts ? (far < 0 ? 'left' : 'right') : undefined }
  }

  get #last(): Sample {
    return this.#samples.at(-1) ?? this.#start
  }
}
