/** Reusable memory. */

const SMALL = 256 // bytes

/** Keeps a view for each small size, so that handling a key leaves no garbage, whose collection delays others. */
export class Scratch {
  readonly all: Buffer
  readonly #beginnings: Buffer[] = []

  constructor(size: number) {
    this.all = Buffer.allocUnsafeSlow(size)
  }

  /** The first `size` bytes, valid until the memory is used again. */
  first(size: number): Buffer {
    if (size > SMALL) return this.all.subarray(0, size)
    this.#beginnings[size] ??= this.all.subarray(0, size)
    return this.#beginnings[size]
  }
}
