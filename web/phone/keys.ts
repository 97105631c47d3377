/** The bytes of keys, as xterm sends them. Pure. */

export interface Modifiers {
  readonly ctrl: boolean
  readonly alt: boolean
}

export const NO_MODIFIERS: Modifiers = { ctrl: false, alt: false }

export const ESCAPE = '\x1b'
export const TAB = '\t'
export const BACK_TAB = '\x1b[Z'
export const INTERRUPT = '\x03'
export const ENTER = '\r'

const ARROWS = { up: 'A', down: 'B', right: 'C', left: 'D' } as const
export type Arrow = keyof typeof ARROWS

/** The parameter of xterm's sequences: 1, 2 for Alt, 4 for Control, added up. */
const parameter = ({ ctrl, alt }: Modifiers): number => 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0)

/** `isApplication`: the program has asked for `ESC O A` instead of `ESC [ A` (DECCKM), which only plain arrows obey. */
export function arrowKey(arrow: Arrow, isApplication: boolean, modifiers = NO_MODIFIERS): string {
  const letter = ARROWS[arrow]
  const number = parameter(modifiers)
  if (number > 1) return `\x1b[1;${number}${letter}`
  return `\x1b${isApplication ? 'O' : '['}${letter}`
}

/** Control with a digit or a mark, as on a terminal of the VT220 kind; with letters and `@[\]^_` the low five bits count. */
const CONTROLLED: Readonly<Record<string, string>> = {
  ' ': '\0',
  '2': '\0',
  '3': '\x1b',
  '4': '\x1c',
  '5': '\x1d',
  '6': '\x1e',
  '7': '\x1f',
  '8': '\x7f',
  '/': '\x1f',
  '-': '\x1f',
  '?': '\x7f',
  '\x7f': '\b',
}

function controlled(character: string): string {
  const mapped = CONTROLLED[character]
  if (mapped !== undefined) return mapped
  return /^[@-_a-z]$/.test(character) ? String.fromCharCode(character.charCodeAt(0) & 0x1f) : character
}

/** Keys that a keyboard sends as a sequence: arrows, Home, End, and F1 to F4; then those with a number. */
const LETTERED = /^\x1b[[O]([A-DFHP-S])$/
const NUMBERED = /^\x1b\[(\d{1,2})~$/
/** One character with its marks. More at once is a paste, or a word that a keyboard types in one piece. */
const CHARACTER = /^[^\x1b]\p{M}*$/u

/**
 * What a key becomes while Control or Alt is held down on the page. Returns undefined for input that is no key, which
 * neither changes nor uses the modifiers up.
 */
export function modified(typed: string, modifiers: Modifiers): string | undefined {
  const { ctrl, alt } = modifiers
  if (!ctrl && !alt) return undefined
  const number = parameter(modifiers)
  const letter = LETTERED.exec(typed)?.[1]
  if (letter !== undefined) return `\x1b[1;${number}${letter}`
  const code = NUMBERED.exec(typed)?.[1]
  if (code !== undefined) return `\x1b[${code};${number}~`
  if (typed === BACK_TAB || typed === ESCAPE) return alt ? `\x1b${typed}` : typed
  if (!CHARACTER.test(typed)) return undefined
  return (alt ? '\x1b' : '') + (ctrl ? controlled(typed) : typed)
}
