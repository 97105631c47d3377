/** Which ESC and CSI sequences of a program reach the user's terminal: those listed here (ESCAPE 22). */
import { key, type Sequence } from './sequence.ts'

const table = (finals: string): Uint8Array => {
  const known = new Uint8Array(128)
  for (const final of finals) known[final.charCodeAt(0)] = 1
  return known
}

/**
 * Painting, the cursor, tab stops, margins: nothing beyond the screen. Not among them: `i` (prints), `q` (keyboard
 * lamps), `x` (terminal parameters), `U` `V` (pages).
 */
const PLAIN = table('@ABCDEFGHIJKLMPSXZ`abdefgmrsu^')

/**
 * Screen erasure (`?J`), kitty's keyboard protocol (`>u`), cursor shape (` q`), soft reset (`!p`), rectangles and
 * columns, saved colours; modes (`?s`, `?r`) only bring back what this list let through.
 *
 * Not among them: `*y` (checksum of what is on the screen, which may be the user's shell), `*z` (runs macros), `"p`
 * (8-bit answers), `>t` (hex titles), `$|` `*|` (size), `$}` (another screen), `'z` and its like (locator).
 */
const MARKED = new Set(
  ['?J', '?K', '?s', '?r', '?W', '>u', '<u', '=u', '!p', ' q', '"q', ' @', ' A']
    .concat(["'}", "'~", '$r', '$t', '$v', '$x', '$z', '${', '*x', '#{', '#}', '#p', '#q', '#P', '#Q'])
    .concat(['>c', '=c', '>q', '?u', '?m', '$p', '?$p']) // questions
    .map(key),
)

const numbers = (text: string): Set<number> => new Set(text.split(' ').map(Number))

/** Insert, line feed (off), cursor of TERM=screen. Not among them: 2, which locks the keyboard. */
const MODES = numbers('4 34')
/**
 * Not among them: 2 (VT52) and 38 (Tektronix), where bytes mean something else than they do here; 3 and 40 (size);
 * 18, 19 (printing); 1001 (hangs until it is answered); 1043 (raises the window); 5522 (pastes as OSC 5522, which is
 * not let through); 9001 (Windows key codes, in which no detach key is found). Resetting most of them is harmless.
 */
const PRIVATE_MODES = numbers(
  '1 4 5 6 7 8 9 12 13 14 25 30 41 44 45 47 66 69 80 1000 1002 1003 1004 1005 1006 1007 1010 1011 1015 1016 ' +
    '1034 1036 1039 1042 1045 1047 1048 1049 1070 2004 2026 2027 2031 2048 8452',
)
const RESETTABLE = new Set([...PRIVATE_MODES, ...numbers('3 40 1001 1043 1044 5522 7727 9001')])

const WINDOW_SIZES = numbers('14 16 18 19')
const TITLE_STACK = numbers('22 23')

const all = (sequence: Sequence, known: ReadonlySet<number>): boolean =>
  sequence.numbers.every((number) => known.has(number))

const first = (sequence: Sequence): number => sequence.numbers[0] ?? 0

/** CSI that are let through for some parameters only. */
const WITH_PARAMETERS = new Map<number, (sequence: Sequence) => boolean>(
  Object.entries({
    c: (s: Sequence) => first(s) === 0,
    h: (s: Sequence) => all(s, MODES),
    l: (s: Sequence) => all(s, new Set([...MODES, 20])),
    n: (s: Sequence) => first(s) === 5 || first(s) === 6,
    // All but these act on the window or tell what the program chose: 21 types the title.
    t: (s: Sequence) => WINDOW_SIZES.has(first(s)) || TITLE_STACK.has(first(s)),
    T: (s: Sequence) => s.numbers.length === 1, // five: mouse tracking that waits for an answer
    '?h': (s: Sequence) => all(s, PRIVATE_MODES),
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
  if (id < 128 && PLAIN[id] === 1) return true
  return MARKED.has(id) || WITH_PARAMETERS.get(id)?.(sequence) === true
}

/**
 * Cursor, tab stops, keypad, index, character sets (`ESC ( 0`), line sizes, reset, UTF-8 on (`% G`). Not among them:
 * `% @` (UTF-8 off: the second byte of a character could then be CSI), `SP G` (8-bit keys), `V` `W` (protected),
 * `Z` (an old question), HP's `F` `l` `m`, and ST without a string.
 */
const ESCAPES = table('6789=>DEHMNOcno|}~')
const MARKED_ESCAPES = new Set(['#3', '#4', '#5', '#6', '#8', '%G', ' F'].map(key))
const CHARACTER_SETS = table('()*+-./')

export function allowsEscape(sequence: Sequence): boolean {
  if (sequence.malformed) return false
  const { key: id, intermediates } = sequence
  if (!intermediates) return ESCAPES[sequence.final] === 1
  const slot = intermediates > 0xff ? intermediates >> 8 : intermediates
  return MARKED_ESCAPES.has(id) || CHARACTER_SETS[slot] === 1
}
