/** A buffer for bytes that arrive in pieces. It grows by doubling, and frees its memory if that was large. */
export class ByteBuffer {
  /** Only the first `length` bytes are valid; growing replaces the array. */
  bytes: Uint8Array = new Uint8Array(0)
  length = 0
  readonly #kept: number

  /** `kept`: the capacity that `clear` may leave. */
  constructor(kept: number) {
    this.#kept = kept
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Make room for `more` further bytes. */
  reserve(more: number): void {
    const length = this.length + more
    if (length <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(256, 2 * length))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  clear(): void {
    this.length = 0
    if (this.bytes.length > this.#kept) this.bytes = new Uint8Array(0)
  }
}
