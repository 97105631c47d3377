/** Bytes that are put together from pieces. Grows by doubling; gives memory back when it was much. */
export class ByteBuffer {
  /** Only the first `length` bytes are meant; replaced when it grows. */
  bytes: Uint8Array = new Uint8Array(0)
  length = 0
  readonly #kept: number

  /** `kept`: capacity that `clear` may leave. */
  constructor(kept: number) {
    this.#kept = kept
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Make room for so many bytes more. */
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
