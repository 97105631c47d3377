/** An event bus: many listeners, each told in the order in which they came. */

export type Listener<T> = (event: T) => void

export class Bus<T> {
  readonly #listeners = new Set<Listener<T>>()
  readonly #failed: (error: unknown) => void

  /** `failed` is told what a listener threw: it must not keep the others from hearing. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Returns what ends it. A listener that is slow queues or drops by itself. */
  listen(listener: Listener<T>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(event: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (error) {
        this.#failed(error)
      }
    }
  }
}
