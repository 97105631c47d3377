/** A modifier of the key bar: one tap holds it for the next key, two taps until the next tap. */
import { type ReadonlySignal, signal } from '@preact/signals'

export type Hold = 'off' | 'once' | 'locked'

const DOUBLE_MS = 400 // between two taps that lock, as for the shift key of phones

export class Sticky {
  readonly #hold = signal<Hold>('off')
  #tappedAt = Number.NEGATIVE_INFINITY

  get hold(): ReadonlySignal<Hold> {
    return this.#hold
  }

  get isHeld(): boolean {
    return this.#hold.value !== 'off'
  }

  tap(now: number): void {
    const isDouble = now - this.#tappedAt <= DOUBLE_MS
    this.#tappedAt = now
    if (this.#hold.value === 'off') this.#hold.value = 'once'
    else if (this.#hold.value === 'once' && isDouble) this.#hold.value = 'locked'
    else this.#hold.value = 'off'
  }

  /** A key was typed with it. */
  used(): void {
    if (this.#hold.value === 'once') this.#hold.value = 'off'
  }

  release(): void {
    this.#hold.value = 'off'
  }
}
