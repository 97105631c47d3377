/**
 * Sequences of which terminals make different things, in a form that means the same in all of them. The daemon's emulator
 * (src/screen/guards.ts) acts in the same way, so that a screen looks alike before and after a reattach.
 */
import { allowsModes } from './csi-rules.ts'
import { key, type Sequence } from './sequence.ts'

const SET = key('?h')
const RESET = key('?l')
const COLUMNS = 3 // DECCOLM

/** What DECCOLM does besides the change of size: full margins, the cursor at the top, an empty screen. */
const CLEARED = '\x1b[?69l\x1b[r\x1b[H\x1b[2J'

/**
 * Whether a change of private modes clears the screen, as one between 80 and 132 columns does. xterm ignores those unless
 * mode 40 allows them, while tmux and others clear, and programs written for a VT100 need that. A reset among other modes
 * is terminfo's string that puts a terminal in order (`ESC [ ? 3 ; 4 l`): nobody expects that one to clear.
 */
export function clearsScreen(modes: ArrayLike<number>, isSet: boolean): boolean {
  return Array.prototype.includes.call(modes, COLUMNS) && (isSet || modes.length === 1)
}

/** What a terminal gets instead of a CSI, possibly nothing. Undefined: the sequence is judged by the rules for all. */
export function plainForm(sequence: Sequence): string | undefined {
  const { key: id, malformed } = sequence
  if (malformed || (id !== SET && id !== RESET)) return undefined
  const { numbers } = sequence
  if (!numbers.includes(COLUMNS)) return undefined
  const isSet = id === SET
  const others = numbers.filter((mode) => mode !== COLUMNS)
  const rest = others.length > 0 && allowsModes(others, isSet)
  return (
    (clearsScreen(numbers, isSet) ? CLEARED : '') +
    (rest ? `\x1b[?${others.join(';')}${isSet ? 'h' : 'l'}` : '')
  )
}
