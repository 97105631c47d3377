/**
 * The number of columns of a character, on which glibc, tmux and the common terminals agree (Unicode 16, ambiguous
 * characters narrow). The library's own table dates from 2010 and treats every emoji as narrow.
 */
const UNKNOWN = 0xff
const WIDTHS = new Uint8Array(0x20000).fill(UNKNOWN) // filled on demand: the whole table would take 60 ms

export function characterWidth(code: number): 0 | 1 | 2 {
  if (code < 0x7f) return 1
  if (code >= WIDTHS.length) return beyond(code)
  const known = WIDTHS[code]
  if (known !== undefined && known !== UNKNOWN) return known as 0 | 1 | 2
  const width = measure(code)
  WIDTHS[code] = width
  return width
}

/** Ideographs; tags and variation selectors; private use. */
function beyond(code: number): 0 | 1 | 2 {
  if (code <= 0x3fffd) return 2
  return code >= 0xe0000 && code <= 0xe0fff ? 0 : 1
}

function measure(code: number): 0 | 1 | 2 {
  if (code === 0xad) return 1 // a soft hyphen is visible
  if (code >= 0x1160 && code <= 0x11ff) return 0 // vowels and finals that join a Hangul syllable
  const text = String.fromCodePoint(code)
  if (/\p{Mn}|\p{Me}/u.test(text)) return 0
  if (/\p{Mc}/u.test(text)) return 1
  return Math.max(0, Math.min(2, Bun.stringWidth(text))) as 0 | 1 | 2
}

/** Whether a text begins with a character without a column of its own: it was added to an empty cell. */
export function isLoneMark(text: string): boolean {
  const code = text.codePointAt(0) ?? 0
  return code >= 0x7f && characterWidth(code) === 0
}
