/** Recognizes bytes in text that a terminal would take for something else. */

export const BEL = 0x07
export const CAN = 0x18
export const SUB = 0x1a
export const ESC = 0x1b
export const DEL = 0x7f

export const PARTIAL = 0 // the character may continue in the next chunk
export const ILL_FORMED = -1
export const C1 = -2 // U+0080..U+009F, well-formed

/**
 * Length of the UTF-8 character at `at`, 2 to 4, or the reason why there is none. Strict (Unicode 16, table 3-7):
 * overlong forms are refused, because a lenient decoder turns them into controls.
 */
export function characterLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] ?? 0
  if (lead < 0xc2 || lead > 0xf4) return ILL_FORMED
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (at + 1 >= end) return PARTIAL
  const second = bytes[at + 1] ?? 0
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return ILL_FORMED
  if (lead === 0xc2 && second < 0xa0) return C1
  for (let i = at + 2; i < at + length; i++) {
    if (i >= end) return PARTIAL
    if (((bytes[i] ?? 0) & 0xc0) !== 0x80) return ILL_FORMED
  }
  return length
}

/** Controls of all sorts, and marks that reverse the direction of text: a title must look like its content. */
const UNSEEMLY = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd]/g

/** Text without controls and marks that change its direction; a replacement character stays. */
export function withoutUnseemly(text: string): string {
  return text.replace(UNSEEMLY, (character) => (character === '\ufffd' ? character : ''))
}

/** UTF-8 from a program as one line of plain text of at most `limit` characters. */
export function sanitize(bytes: Uint8Array, limit: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const clean = text.replace(/[\t\n\r]+/g, ' ').replace(UNSEEMLY, '')
  // Cut by code points, so that no half of a surrogate pair is left.
  return clean.length <= limit ? clean : [...clean.slice(0, 2 * limit)].slice(0, limit).join('')
}
