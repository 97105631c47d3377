/** Passes over the part of a program's output that is nothing but text and colours, faster than the tokenizer. */
import { ESC } from './characters.ts'
import type { Tokenizer } from './tokenizer.ts'

/** How many letters a sequence that an earlier piece began may go on for, before all of this piece is tokenized. */
const LETTERS = 4

/** Where output from `at` on, between two sequences, has its first one that is no complete SGR; else its length. */
export function coloredEnd(bytes: Uint8Array, at = 0): number {
  const { length } = bytes
  let next = bytes.indexOf(ESC, at)
  if (next < 0) return length
  for (; next < length; next++) {
    if (bytes[next] !== ESC) continue
    if (bytes[next + 1] !== 0x5b) return next
    let to = next + 2
    for (let byte = bytes[to] ?? 0; byte >= 0x30 && byte <= 0x3b; byte = bytes[++to] ?? 0);
    if (bytes[to] !== 0x6d) return next
    next = to
  }
  return length
}

/**
 * Pushes a piece of output without the text and colours at its start. `before` gets the place in `bytes` of what is
 * pushed next.
 */
export function pushBeyondColors(
  tokenizer: Pick<Tokenizer, 'offset' | 'boundary' | 'push'>,
  bytes: Uint8Array,
  before: (at: number) => void = () => {},
): void {
  const push = (from: number, to: number): void => {
    before(from)
    tokenizer.push(bytes.subarray(from, to))
  }
  let at = 0
  for (let letters = LETTERS; at < bytes.length && tokenizer.boundary !== tokenizer.offset; letters--) {
    const end = letters > 0 ? pastLetter(bytes, at) : bytes.length
    push(at, end)
    at = end
  }
  const end = coloredEnd(bytes, at)
  if (end < bytes.length) push(end, bytes.length)
}

/** Just behind the next byte that may end a sequence or a character. */
function pastLetter(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && (bytes[at] ?? 0) < 0x40) at++
  return Math.min(at + 1, bytes.length)
}
