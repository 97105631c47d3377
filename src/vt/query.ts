/** Recognizes sequences that a terminal answers as if the user typed. */
import { MAX_STRING } from './limits.ts'
import { key, type Sequence } from './sequence.ts'
import { CAPABILITY, graphicsAnswer, SETTING } from './string-rules.ts'

/**
 * Kind of terminal (DA 1, 2, 3, XTVERSION), state (DSR and cursor, DECRQM), keyboard (kitty, modifyOtherKeys), size and
 * graphics (XTWINOPS, XTSMGRAPHICS), and those that the filter never lets through, for callers without the filter.
 */
const CSI = new Set(
  ['c', '>c', '=c', '>q', 'n', '?n', '$p', '?$p', '?u', '?m', '?g', '?S', 'x', '*y', '$w', '$u', '&u'].map(
    key,
  ),
)
const WINDOW = key('t')
const WINDOW_ANSWERS = new Set([11, 13, 14, 15, 16, 18, 19, 20, 21])
/** OSC in which a `?` instead of a value is a query: colours, font, pointer, clipboard, features. */
const ASKING = /^(?:4|5|1\d|2[12]|50|52|5522);/
/** kitty's notifications that are queries, or that answer when the user acts on them. */
const NOTICE = /^99;[^;]*(?:p=\?|p=alive|a=[^:;]*report|c=1)/

function isOscQuery(text: string): boolean {
  if (NOTICE.test(text) || /^6[01];/.test(text)) return true
  const head = ASKING.exec(text)?.[0]
  return head !== undefined && text.length < MAX_STRING && /(?:^|[;=])\?/.test(text.slice(head.length))
}

/**
 * Whether a terminal answers this sequence. The client removes such sequences from old output: nobody waits for the
 * answers any more, and they would be typed into the program that runs now.
 */
export function isQuery(sequence: Sequence): boolean {
  const { kind, key: id } = sequence
  if (kind === 'csi') {
    if (id === WINDOW) return WINDOW_ANSWERS.has(sequence.numbers[0] ?? 0)
    return CSI.has(id)
  }
  if (kind === 'esc') return id === 0x5a // DECID
  if (kind === 'osc') return isOscQuery(sequence.text)
  if (kind === 'dcs') return id === SETTING || id === CAPABILITY
  return kind === 'apc' && sequence.text.startsWith('G') && graphicsAnswer(sequence.text)
}
