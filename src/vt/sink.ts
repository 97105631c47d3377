/** Who listens to the tokenizer. */
import type { Sequence } from './sequence.ts'

/** What the stream is made of, in its order. Bytes are valid until the call returns. */
export interface Sink {
  /** `bytes[from..to)` is text, and `offset` where in the stream it begins. Characters are never split. */
  text(bytes: Uint8Array, from: number, to: number, offset: number): void
  /** A control character, DEL, or 0x80..0x9f: as a stray byte or as the two of a character. */
  control(code: number, bytes: Uint8Array, from: number, to: number): void
  /** A whole sequence. One that is aborted (CAN, SUB, ESC) is never told. */
  sequence(sequence: Sequence): void
  /**
   * The header of a DCS, or an APC up to its first `;`: true if the rest is to come as `data` and `end` and not
   * as one sequence. For images, which are large.
   */
  stream?(header: Sequence): boolean
  data?(bytes: Uint8Array, from: number, to: number): void
  end?(): void
}
