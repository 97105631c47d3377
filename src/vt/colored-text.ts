/** Finds the part of a program's output that is nothing but text and colours, faster than the tokenizer. */
import { ESC } from './characters.ts'

/** Where output that begins between two sequences has its first one that is no complete SGR; else its length. */
export function coloredEnd(bytes: Uint8Array): number {
  const { length } = bytes
  let at = bytes.indexOf(ESC)
  if (at < 0) return length
  for (; at < length; at++) {
    if (bytes[at] !== ESC) continue
    if (bytes[at + 1] !== 0x5b) return at
    let to = at + 2
    for (let byte = bytes[to] ?? 0; byte >= 0x30 && byte <= 0x3b; byte = bytes[++to] ?? 0);
    if (bytes[to] !== 0x6d) return at
    at = to
  }
  return length
}
