/** The ESC and CSI sequences of a program that reach the user's terminal: only those listed here. */
import { key, type Sequence } from './sequence.ts'

const table = (finals: string): Uint8Array => {
  const known = new Uint8Array(128)
  for (const final of finals) known[final.charCodeAt(0)] = 1
  return known
}

/**
 * Painting and the cursor: no effect outside of the screen, and no lasting one. Excluded: `i` (prints), `q` (keyboard
 * lamps), `x` (terminal parameters), `U` `V` (pages).
 */
const PAINTING = table('@ABCDEFGHIJKLMPSXZ`abdefu^')

/**
 * Screen erasure (`?J`), soft reset (`!p`), rectangles and columns; and queries.
 *
 * Excluded: `*y` (checksum of the screen, which may show the user's shell), `*z` (runs macros), `"p` (8-bit answers),
 * `>t` (hex titles), `$|` `*|` (size), `$}` (another screen), `'z` and its like (locator), `*x` (the meaning of
 * rectangles), `?s` and `?r` (save and restore modes: the modes then in force would be unknown).
 */
const MARKED = new Set(
  ['?J', '?K', '!p', ' @', ' A']
    .concat(["'}", "'~", '$r', '$t', '$v', '$x', '$z', '${'])
    .concat(['>c', '=c', '>q', '?u', '?m', '$p', '?$p']) // queries
    .map(key),
)

/**
 * Sequences with a lasting effect: colours, tab stops, margins, kitty's keyboard protocol, cursor shape, protection,
 * stacks. src/client/terminal/screen-modes.ts undoes each, and screen-modes.test.ts fails for one that it does not
 * undo.
 */
const ALWAYS_LASTING = ['m', 'g', 'r', 's', '?W', '>u', '<u', '=u', ' q', '"q']
  .concat(['#{', '#}', '#p', '#q', '#P', '#Q'])
  .map(key)
/** The lasting sequences, including those that are let through only for some parameters. */
export const LASTING: ReadonlySet<number> = new Set([
  ...ALWAYS_LASTING,
  ...['>m', '>n', 'h', 'l', '?h', '?l', 't'].map(key),
])
const ALWAYS = new Set([...ALWAYS_LASTING, ...MARKED])

const numbers = (text: string): number[] => text.split(' ').map(Number)

export type Setting = 'h' | 'l'
const modes = (set: string, reset: string): ReadonlyMap<number, Setting> =>
  new Map([
    ...numbers(set).map((mode) => [mode, 'h'] as const),
    ...numbers(reset).map((mode) => [mode, 'l'] as const),
  ])

/**
 * Modes that reach the terminal, each with its untouched state: `h` set, `l` reset. A terminal with another setup
 * cannot be queried without taking the answer from the user's typing. Cursor of TERM=screen (34, set), insert (4).
 * Excluded: 2, which locks the keyboard.
 */
export const MODES = modes('34', '4')
/**
 * Set: wrap, key repeat, cursor, private colours of images. Excluded because bytes would get another meaning: 2 (VT52)
 * and 38 (Tektronix). Also excluded: 3 (size; plain-forms.ts keeps the rest of its effect), 40 (size); 18, 19 (printing);
 * 1001 (hangs until it is answered); 1043 (raises the window); 5522 (pastes as OSC 5522, which is filtered out); 9001
 * (Windows key codes, which hide the detach key). Excluded as the user's own preferences, which could not be restored and
 * which programs do not need: 13, 14 (blinking), 30 (scroll bar), 44, 1042 (bell), 1010, 1011 (scrolling), 1034 to 1039
 * (the Alt key).
 */
export const PRIVATE_MODES = modes(
  '7 8 25 1070',
  '1 4 5 6 9 12 41 45 47 66 69 80 1000 1002 1003 1004 1005 1006 1007 1015 1016 1045 1047 1049 ' +
    '2004 2026 2027 2031 2048 8452',
)
/** Saves and restores the cursor; affects no other state. */
export const CURSOR_SAVE = 1048
/** Resetting these is harmless: they are reset already, because nothing can set them. */
const RESET_ALREADY = numbers('40 1001 5522 7727 9001')
const NEW_LINE = 20

const SETTABLE = new Set([...PRIVATE_MODES.keys(), CURSOR_SAVE])
const RESETTABLE = new Set([...SETTABLE, ...RESET_ALREADY])
const PLAIN_SETTABLE = new Set(MODES.keys())
const PLAIN_RESETTABLE = new Set([...PLAIN_SETTABLE, NEW_LINE])

const WINDOW_SIZES = new Set([14, 16, 18, 19])
const TITLE_STACK = new Set([22, 23])

const all = (sequence: Sequence, known: ReadonlySet<number>): boolean =>
  sequence.numbers.every((number) => known.has(number))

/** Whether a program may set (or reset) all of these private modes. */
export function allowsModes(privateModes: readonly number[], isSet: boolean): boolean {
  const known = isSet ? SETTABLE : RESETTABLE
  return privateModes.every((mode) => known.has(mode))
}

const first = (sequence: Sequence): number => sequence.numbers[0] ?? 0

/** CSI that are let through only for some parameters. */
const WITH_PARAMETERS = new Map<number, (sequence: Sequence) => boolean>(
  Object.entries({
    c: (s: Sequence) => first(s) === 0,
    h: (s: Sequence) => all(s, PLAIN_SETTABLE),
    l: (s: Sequence) => all(s, PLAIN_RESETTABLE),
    n: (s: Sequence) => first(s) === 5 || first(s) === 6,
    // All others act on the window or reveal text that the program chose: 21 types the title.
    t: (s: Sequence) => WINDOW_SIZES.has(first(s)) || TITLE_STACK.has(first(s)),
    T: (s: Sequence) => s.numbers.length === 1, // with five numbers: mouse tracking that waits for an answer
    '?h': (s: Sequence) => allowsModes(s.numbers, true),
    '?l': (s: Sequence) => allowsModes(s.numbers, false),
    // Only modifyOtherKeys: the client resets it, and no program uses the others.
    '>m': (s: Sequence) => first(s) === 4 || s.parameters === '',
    '>n': (s: Sequence) => first(s) === 4,
    '?n': (s: Sequence) => first(s) === 6 || first(s) === 996,
    '?S': (s: Sequence) => s.numbers[1] === 1 || s.numbers[1] === 4, // these two read, the others set
  }).map(([name, rule]) => [key(name), rule] as const),
)

export function allowsCsi(sequence: Sequence): boolean {
  if (sequence.malformed) return false
  const id = sequence.key
  if (id < 128 && PAINTING[id] === 1) return true
  return ALWAYS.has(id) || WITH_PARAMETERS.get(id)?.(sequence) === true
}

/** Cursor, index, single shifts, reset; a test picture, 7-bit answers. */
const ESCAPES = table('6789DEMNOc')
const MARKED_ESCAPES = new Set(['#8', ' F'].map(key))
/**
 * Lasting effects, which are undone like those above: tab stops, keypad, shifts, line sizes, character sets (`ESC (
 * 0`). Excluded: `% @` and `% G` (UTF-8 off, when the second byte of a character could be CSI, and on), `SP G` (8-bit
 * keys), `V` `W` (protected), `Z` (an old query), HP's `F` `l` `m`, and ST without a string.
 */
const LASTING_ESCAPES = table('=>Hno|}~')
const LINE_SIZES = new Set(['#3', '#4', '#5', '#6'].map(key))
const CHARACTER_SETS = table('()*+-./')

export function allowsEscape(sequence: Sequence): boolean {
  if (sequence.malformed) return false
  const { key: id, intermediates } = sequence
  if (!intermediates) return ESCAPES[sequence.final] === 1 || LASTING_ESCAPES[sequence.final] === 1
  return MARKED_ESCAPES.has(id) || lastingEscape(sequence)
}

/** Whether an allowed ESC sequence has a lasting effect. */
export function lastingEscape({ key: id, intermediates, final }: Sequence): boolean {
  if (!intermediates) return LASTING_ESCAPES[final] === 1
  const slot = intermediates > 0xff ? intermediates >> 8 : intermediates
  return LINE_SIZES.has(id) || CHARACTER_SETS[slot] === 1
}
