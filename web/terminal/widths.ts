/**
 * Widths of signs of several code points. The library that knows them is loaded with the first output that has a
 * character for which it matters; until it is there, that output waits. Most terminals never show one.
 */
import type { Terminal } from '@xterm/xterm'

/** Returns whether some character may have another width than in the terminal's own table, which is from 2010. Pure. */
export function needsGraphemes(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 0xe0) continue
    // Beyond the first plane; Indic, Thai, Hangul jamo.
    if (byte >= 0xf0 || byte === 0xe0 || byte === 0xe1) return true
    const next = bytes[at + 1]
    if (byte === 0xe2 && (next === undefined || next === 0x80 || isPicture(next))) {
      // Of the general punctuation only the joiners matter, not dashes, quotes and dots.
      if (next !== 0x80 || isJoiner(bytes[at + 2])) return true
    }
    if (byte === 0xef && (next === undefined || next === 0xb8)) return true // variation selectors
  }
  return false
}

/** U+2300 to 23FF, 2580 to 27BF without blocks, 2B00 to 2BFF. */
const isPicture = (second: number): boolean =>
  (second >= 0x8c && second <= 0x8f) ||
  (second >= 0x97 && second <= 0x9e) ||
  second === 0xac ||
  second === 0xad

const isJoiner = (third: number | undefined): boolean =>
  third === undefined || (third >= 0x8b && third <= 0x8f)

let addon: Promise<typeof import('@xterm/addon-unicode-graphemes') | undefined> | undefined

/** Gives a terminal these widths. Resolves without them when they cannot be loaded. */
export async function useGraphemes(terminal: Terminal): Promise<void> {
  addon ??= import('@xterm/addon-unicode-graphemes').catch(() => {
    addon = undefined // the server is away: asked for again with the next such output
    return undefined
  })
  const loaded = await addon
  if (loaded && terminal.unicode.activeVersion === '6') terminal.loadAddon(new loaded.UnicodeGraphemesAddon())
}
