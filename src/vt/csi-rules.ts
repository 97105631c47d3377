/** Which ESC and CSI sequences of a program reach the user's terminal: those listed here. */
import { key, type Sequence } from './sequence.ts'

const table = (finals: string): Uint8Array => {
  const known = new Uint8Array(128)
  for (const final of finals) known[final.charCodeAt(0)] = 1
  return known
}

/**
 * Painting and the cursor: nothing beyond the screen, and nothing that lasts. Not among them: `i` (prints), `q`
 * (keyboard lamps), `x` (terminal parameters), `U` `V` (pages).
 */
const PAINTING = table('@ABCDEFGHIJKLMPSXZ`abdefu^')

/**
 * Screen erasure (`?J`), soft reset (`!p`), rectangles and columns; and questions.
 *
 * Not among them: `*y` (checksum of what is on the screen, which may be the user's shell), `*z` (runs macros), `"p`
 * (8-bit answers), `>t` (hex titles), `$|` `*|` (size), `$}` (another screen), `'z` and its like (locator), `*x` (how
 * rectangles are meant), `?s` and `?r` (modes saved and restored: nobody can tell what is in force then).
 */
const MARKED = new Set(
  ['?J', '?K', '!p', ' @', ' A']
    .concat(["'}", "'~", '$r', '$t', '$v', '$x', '$z', '${'])
    .concat(['>c', '=c', '>q', '?u', '?m', '$p', '?$p']) // questions
    .map(key),
)

/**
 * Sequences whose effect lasts: colours, tab stops, margins, kitty's keyboard protocol, cursor shape, protection,
 * stacks. Each is undone by src/client/terminal/screen-modes.ts, and screen-modes.test.ts fails for one that is not.
 */
const ALWAYS_LASTING = ['m', 'g', 'r', 's', '?W', '>u', '<u', '=u', ' q', '"q']
  .concat(['#{', '#}', '#p', '#q', '#P', '#Q'])
  .map(key)
/** With those that are let through for some parameters only. */
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
 * Modes that reach the terminal, each with what it is when nobody has touched it: `h` set, `l` reset. A terminal that was
 * set up otherwise cannot be asked without taking its answer from what the user types. Cursor of TERM=screen (34, set),
 * insert (4). Not among them: 2, which locks the keyboard.
 */
export const MODES = modes('34', '4')
/**
 * Set: wrap, key repeat, cursor, private colours of images. Not among them: 2 (VT52) and 38 (Tektronix), where bytes
 * mean something else than they do here; 3 and 40 (size); 18, 19 (printing); 1001 (hangs until it is answered); 1043
 * (raises the window); 5522 (pastes as OSC 5522, which is not let through); 9001 (Windows key codes, in which no detach
 * key is found). Nor what people set up as they like it, so that nobody knows what to go back to, and programs have no
 * need of: 13, 14 (blinking), 30 (scroll bar), 44, 1042 (bell), 1010, 1011 (scrolling), 1034 to 1039 (the Alt key).
 */
export const PRIVATE_MODES = modes(
  '7 8 25 1070',
  '1 4 5 6 9 12 41 45 47 66 69 80 1000 1002 1003 1004 1005 1006 1007 1015 1016 1045 1047 1049 ' +
    '2004 2026 2027 2031 2048 8452',
)
/** Saves and restores the cursor, which is no state of anything else. */
export const CURSOR_SAVE = 1048
/** To reset these is harmless: they are reset already, where nobody can set them. */
const RESET_ALREADY = numbers('3 40 1001 5522 7727 9001')
const NEW_LINE = 20

const SETTABLE = new Set([...PRIVATE_MODES.keys(), CURSOR_SAVE])
const RESETTABLE = new Set([...SETTABLE, ...RESET_ALREADY])
const PLAIN_SETTABLE = new Set(MODES.keys())
const PLAIN_RESETTABLE = new Set([...PLAIN_SETTABLE, NEW_LINE])

const WINDOW_SIZES = new Set([14, 16, 18, 19])
const TITLE_STACK = new Set([22, 23])

const all = (sequence: Sequence, known: ReadonlySet<number>): boolean =>
  sequence.numbers.every((number) => known.has(number))

const first = (sequence: Sequence): number => sequence.numbers[0] ?? 0

/** CSI that are let through for some parameters only. */
const WITH_PARAMETERS = new Map<number, (sequence: Sequence) => boolean>(
  Object.entries({
    c: (s: Sequence) => first(s) === 0,
    h: (s: Sequence) => all(s, PLAIN_SETTABLE),
    l: (s: Sequence) => all(s, PLAIN_RESETTABLE),
    n: (s: Sequence) => first(s) === 5 || first(s) === 6,
    // All but these act on the window or tell what the program chose: 21 types the title.
    t: (s: Sequence) => WINDOW_SIZES.has(first(s)) || TITLE_STACK.has(first(s)),
    T: (s: Sequence) => s.numbers.length === 1, // five: mouse tracking that waits for an answer
    '?h': (s: Sequence) => all(s, SETTABLE),
    '?l': (s: Sequence) => all(s, RESETTABLE),
    // modifyOtherKeys only: the client turns it back, and no program uses the others.
    '>m': (s: Sequence) => first(s) === 4 || s.parameters === '',
    '>n': (s: Sequence) => first(s) === 4,
    '?n': (s: Sequence) => first(s) === 6 || first(s) === 996,
    '?S': (s: Sequence) => s.numbers[1] === 1 || s.numbers[1] === 4, // reads; the others set
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
 * What lasts, and is undone as those above: tab stops, keypad, shifts, line sizes, character sets (`ESC ( 0`). Not among
 * them: `% @` and `% G` (UTF-8 off, when the second byte of a character could be CSI, and on), `SP G` (8-bit keys),
 * `V` `W` (protected), `Z` (an old question), HP's `F` `l` `m`, and ST without a string.
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

/** Whether the effect of an ESC sequence that is let through lasts. */
export function lastingEscape({ key: id, intermediates, final }: Sequence): boolean {
  if (!intermediates) return LASTING_ESCAPES[final] === 1
  const slot = intermediates > 0xff ? intermediates >> 8 : intermediates
  return LINE_SIZES.has(id) || CHARACTER_SETS[slot] === 1
}
