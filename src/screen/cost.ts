/** Limits the output that is parsed at once, so that hostile output cannot keep others waiting. Pure. */
import { characterLength, PARTIAL } from '../vt/characters.ts'

// Measured with the largest parameters that guards.ts lets through, and doubled. One sequence may clear or shift every
// cell of the screen; one character (insert mode, a line feed in a region) every cell of its line and all lines.
const STEP_US = 1000
const SEQUENCE_US = 60
const CELL_US = 0.03
const BYTE_US = 0.5
const COLUMN_US = 0.02
const ROW_US = 0.02

const ESC = 0x1b
const C1_LEAD = 0xc2 // the first byte of U+0080 to U+00BF in UTF-8
const LEAD = 0xc0 // first bytes of longer characters are at least this; their other bytes are 0x80 to 0xbf

/** The end of a piece that begins at `start`, is not empty and takes about a millisecond at worst. */
export function pieceEnd(bytes: Uint8Array, start: number, columns: number, rows: number): number {
  const perSequence = SEQUENCE_US + CELL_US * columns * rows
  const perByte = BYTE_US + COLUMN_US * columns + ROW_US * rows
  const most = Math.min(bytes.length, start + Math.max(16, Math.floor(STEP_US / perByte)))
  const end = Math.max(start + 1, wholeCharacters(bytes, start, most))
  let sequences = Math.max(1, Math.floor(STEP_US / perSequence))
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if ((byte === ESC || byte === C1_LEAD) && sequences-- === 0) return at
  }
  return end
}

/** The end of `bytes[start..end)` without a last character that may be incomplete. */
export function wholeCharacters(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= Math.max(start, end - 3); at--) {
    const byte = bytes[at] ?? 0
    if (byte < 0x80) return end
    if (byte >= LEAD) return characterLength(bytes, at, end) === PARTIAL ? at : end
  }
  return end
}
