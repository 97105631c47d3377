/** Memory that is used over and over. */

const SMALL = 256 // bytes

/** Its beginnings are made once for each small size: what a key needs leaves no garbage, whose collection delays others. */
export class Scratch {
  readonly all: Buffer
  readonly #beginnings: Buffer[] = []

  constructor(size: number) {
    this.all = Buffer.allocUnsafeSlow(size)
  }

  /** The first `size` bytes; good until the memory is used again. */
  first(size: number): Buffer {
    if (size > SMALL) return this.all.subarray(0, size)
    this.#beginnings[size] ??= this.all.subarray(0, size)
    return this.#beginnings[size]
  }
}
