/** How much output may be parsed at once, so that nobody waits for long whatever is in it. Pure. */

// Measured with the largest parameters that guards.ts lets through, and doubled: one sequence may clear or shift every
// cell of the screen, one character (insert mode, a line feed in a region) every cell of its line and all lines.
const STEP_US = 1000
const SEQUENCE_US = 60
const CELL_US = 0.03
const BYTE_US = 0.5
const COLUMN_US = 0.02
const ROW_US = 0.02

const ESC = 0x1b
const C1_LEAD = 0xc2 // of U+0080 to U+00BF in UTF-8

/** Where in `bytes` a piece ends that begins at `start` and takes about a millisecond at worst. */
export function pieceEnd(bytes: Uint8Array, start: number, columns: number, rows: number): number {
  const perSequence = SEQUENCE_US + CELL_US * columns * rows
  const perByte = BYTE_US + COLUMN_US * columns + ROW_US * rows
  const end = Math.min(bytes.length, start + Math.max(16, Math.floor(STEP_US / perByte)))
  let sequences = Math.max(1, Math.floor(STEP_US / perSequence))
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if ((byte === ESC || byte === C1_LEAD) && sequences-- === 0) return at
  }
  return end
}
