/**
 * Signs of several code points (emoji with a skin tone, families, flags, U+FE0F). Terminals count the columns of each
 * code point or of the whole sign, and programs as one of both. The emulator counts code points, like xterm, tmux and
 * the C library; what is drawn from its cells must be in the same columns in both kinds of terminals. Pure.
 */
import { characterWidth } from './width.ts'

const ZWJ = '\u200d'
const EMOJI_STYLE = '\ufe0f'
const MODIFIER = /^\p{Emoji_Modifier}/u
const PICTURE = /^\p{Extended_Pictographic}/u
const FLAG_HALF = /^[\u{1f1e6}-\u{1f1ff}]/u

/** Whether a terminal that counts whole signs makes one of the contents of two cells that are next to each other. */
export function joins(left: string, right: string): boolean {
  if (right.charCodeAt(0) < 0x2000 || left === '') return false
  return (PICTURE.test(left) && MODIFIER.test(right)) || (left.endsWith(ZWJ) && PICTURE.test(right))
}

/** Whether the contents are the two halves of a flag, which have two columns in all terminals if nothing is between. */
export const isFlag = (left: string, right: string): boolean => FLAG_HALF.test(left) && FLAG_HALF.test(right)

/**
 * The text of a cell of one column without the mark that gives it two in some terminals: there it would hide the next
 * cell, or wrap.
 */
export function inOneColumn(text: string): string {
  if (text.length < 2 || !text.includes(EMOJI_STYLE)) return text
  return characterWidth(text.codePointAt(0) ?? 0) === 1 ? text.replaceAll(EMOJI_STYLE, '') : text
}
