/** Coop's own texts for a terminal, in order; each waits until there is room for it. */

const AGAIN_MS = 5 // between two tries

export class Remarks {
  readonly #waiting: Buffer[] = []
  readonly #write: (bytes: Buffer) => boolean

  /** `write` returns false when there is no room. */
  constructor(write: (bytes: Buffer) => boolean) {
    this.#write = write
  }

  add(text: string): void {
    this.#waiting.push(Buffer.from(text))
    if (this.#waiting.length === 1) this.#run()
  }

  #run(): void {
    while (this.#waiting[0]) {
      if (!this.#write(this.#waiting[0])) {
        setTimeout(() => this.#run(), AGAIN_MS)
        return
      }
      this.#waiting.shift()
    }
  }
}
