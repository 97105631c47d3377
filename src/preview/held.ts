/**
 * What the daemon holds for all WebSockets of previews together. A message is bounded, but a page opens some hundred WebSockets: a
 * hostile server could send most of a large message on each and never the rest.
 */

const MAX_HELD = 128 << 20 // bytes of unfinished messages, and of those that no server reads

let held = 0

/** The share of one WebSocket. */
export class Share {
  #size = 0

  /** Notes how much is held. Returns false if it is too much for all of them. */
  set(size: number): boolean {
    held += size - this.#size
    this.#size = size
    return held <= MAX_HELD
  }
}
