/** The interface of a listener to the tokenizer. */
import type { Sequence } from './sequence.ts'

/** Receives the parts of the stream in order. Bytes are valid until the call returns. */
export interface Sink {
  /** `bytes[from..to)` is text that begins at `offset` in the stream. Characters are never split. */
  text(bytes: Uint8Array, from: number, to: number, offset: number): void
  /** A control character, DEL, or 0x80..0x9f: a stray byte, or the two bytes of a character. */
  control(code: number, bytes: Uint8Array, from: number, to: number): void
  /** A complete sequence. Aborted ones (CAN, SUB, ESC) are not reported. */
  sequence(sequence: Sequence): void
  /**
   * The header of a DCS, or an APC up to its first `;`. Return true to get the rest as `data` and `end` instead of as
   * one sequence: this is for images, which are large.
   */
  stream?(header: Sequence): boolean
  data?(bytes: Uint8Array, from: number, to: number): void
  end?(): void
}
