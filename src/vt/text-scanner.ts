/** Finds the end of text: a control, or a character that is incomplete in the chunk. */
import { C1, characterLength, DEL, ESC, PARTIAL } from './characters.ts'
import type { Sink } from './sink.ts'

const TEXT = 0
const STOP = 1
const MULTIBYTE = 2
const NOTHING = new Uint8Array(0)

export class TextScanner {
  /** The held bytes of an incomplete character. */
  partial: Uint8Array = NOTHING
  readonly #sink: Sink
  readonly #classes = new Uint8Array(256).fill(TEXT)

  /** `inText`: control characters to report as text. */
  constructor(sink: Sink, inText: string) {
    this.#sink = sink
    this.#classes.fill(STOP, 0, 0x20).fill(MULTIBYTE, 0x80)
    this.#classes[DEL] = STOP
    for (const character of inText) this.#classes[character.charCodeAt(0)] = TEXT
    this.#classes[ESC] = STOP
  }

  /** Finish the character that an earlier chunk began; returns the start of the text after it. */
  join(bytes: Uint8Array, offset: number): number {
    const before = this.partial
    if (!before.length) return 0
    const joined = new Uint8Array(before.length + Math.min(3, bytes.length))
    joined.set(before)
    joined.set(bytes.subarray(0, 3), before.length)
    this.partial = NOTHING
    const begin = offset - before.length
    // One character at a time, because the rest of the chunk must not be scanned here.
    let at = 0
    while (at < before.length) {
      const length = characterLength(joined, at, joined.length)
      if (length === PARTIAL) at = this.scan(joined, at, joined.length, begin)
      else at = this.scan(joined, at, at + (length > 0 ? length : length === C1 ? 2 : 1), begin, true)
    }
    return at - before.length
  }

  /**
   * Reports the text before the next ESC to the sink; returns the position of that ESC, or `end`. `offset` is the
   * stream offset of the first byte of `bytes`. With `whole` nothing follows, so ill-formed bytes are not held.
   */
  scan(bytes: Uint8Array, start: number, end: number, offset: number, whole = false): number {
    const classes = this.#classes
    const sink = this.#sink
    let from = start
    let at = start
    for (;;) {
      while (at < end && classes[bytes[at] ?? 0] === TEXT) at++
      if (at >= end) break
      const byte = bytes[at] ?? 0
      let length = byte < 0x80 ? 1 : characterLength(bytes, at, end)
      if (length > 0 && byte >= 0x80) {
        at += length
        continue
      }
      const partial = length === PARTIAL && !whole
      let code = byte
      if (length === C1) {
        length = 2
        code = bytes[at + 1] ?? 0
      } else if (byte >= 0xa0 && !partial) {
        at++ // Latin-1, for example: no terminal takes it for a control
        continue
      } else length = 1
      if (from < at) sink.text(bytes, from, at, offset + from)
      if (byte === ESC) return at
      if (partial) {
        this.partial = new Uint8Array(bytes.subarray(at, end)) // `slice` of a Buffer would be the caller's memory
        return end
      }
      sink.control(code, bytes, at, at + length)
      at += length
      from = at
    }
    if (from < at) sink.text(bytes, from, at, offset + from)
    return at
  }
}
