/** An event bus: many listeners, called in the order in which they subscribed. */

export type Listener<T> = (event: T) => void

export class Bus<T> {
  readonly #listeners = new Set<Listener<T>>()
  readonly #failed: (error: unknown) => void

  /** `failed` receives a listener's exception, so that the other listeners still hear the event. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Returns the function that unsubscribes. A slow listener must queue or drop events itself. */
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
