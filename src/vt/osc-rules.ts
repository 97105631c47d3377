/**
 * The OSC (operating system commands) of a program that reach the user's terminal: only those listed here, in the
 * listed form. Excluded: 7 (a folder of the box, in which the terminal would open the user's next shell, with whatever
 * a prompt runs there), 50 (fonts; answers with the query's own text, CVE-2022-45063), 51 (evaluates Emacs Lisp), 83
 * (runs commands of GNU screen), 1337 (iTerm2's files, variables and more), 5522, 66. The filter passes 7501 by itself
 * (program-status.ts), to terminals that ask for it.
 */
import { isUtf8 } from 'node:buffer'
import { sanitize } from './characters.ts'
import { MAX_CLIPBOARD } from './limits.ts'
import type { Sequence } from './sequence.ts'

/** true: write it unchanged; false: remove it; bytes: write these instead. */
export type Verdict = boolean | Uint8Array

const MAX_TITLE = 256 // characters; no window shows more
const MAX_NOTICE = 1024 // characters of a notification
const MAX_MARK = 512 // bytes of a prompt mark with its properties

const COLOR = String.raw`(?:\?|rgba?:[\da-fA-F]{1,4}(?:/[\da-fA-F]{1,4}){2,3}|#[\da-fA-F]{3,16}|[A-Za-z][\w ]{0,31})`
const PALETTE = new RegExp(String.raw`^4(?:;\d{1,3};${COLOR})+$`)
const DYNAMIC = new RegExp(`^1[01279](?:;${COLOR}){1,3}$`)
const RESETS = /^(?:104(?:;\d{1,3})*|11\d);?$/
const LINK = /^8;[\x21-\x3a\x3c-\x7e]{0,256};(?:(?:https?:\/\/|mailto:)[\x21-\x7e]+)?$/i
const PROGRESS = /^9;4(?:;[0-4]?(?:;\d{0,3})?)?;?$/
/** ConEmu treats a number as a command: 9;6 and 9;7 run things, 9;9 is a folder. */
const NUMBERED = /^9;\d+(?:;|$)/
const POINTER = /^22;[<>=?]?[\w,-]{0,128}$/
const PROMPT = /^133;[A-DILNP](?:;[\x20-\x3a\x3c-\x7e]*)*$/
/** Excludes E (a command line that the editor offers to run again) and P (its folder). */
const EDITOR_PROMPT = /^633;(?:[ABC]|D(?:;\d{1,3})?)$/
const CLIPBOARD = /^52;[cpqs0-7]{0,12};/
const BASE64 = /^[A-Za-z\d+/]*={0,2}$/
/**
 * kitty's notifications: `key=value:…;text`. Excluded: `c` and `a=report` (on a click the terminal would type the
 * identifier that the program chose), and `p` other than text (`?` and `alive` answer, `icon` is a file).
 */
const NOTICE = /^99;((?:(?:[defginostuw]=[\w+/=.,-]{0,128}|p=(?:title|body|close)|a=-?focus)(?::|(?=;)))*);/

function rewritten(sequence: Sequence, head: string, text: string): Verdict {
  const wanted = Buffer.from(`${head}${text}`)
  if (wanted.equals(sequence.payload)) return true
  return Buffer.concat([Buffer.from('\x1b]'), wanted, Buffer.from('\x1b\\')])
}

function title(sequence: Sequence): Verdict {
  return rewritten(sequence, `${sequence.text[0]};`, sanitize(sequence.payload.subarray(2), MAX_TITLE))
}

/** Drops the link and keeps its text, which must not become part of the link before it. */
function link(text: string): Verdict {
  return LINK.test(text) || Buffer.from('\x1b]8;;\x1b\\')
}

function notification(sequence: Sequence, text: string): Verdict {
  if (NUMBERED.test(text)) return PROGRESS.test(text)
  const clean = sanitize(sequence.payload.subarray(2), MAX_NOTICE)
  return NUMBERED.test(`9;${clean}`) ? false : rewritten(sequence, '9;', clean)
}

function kittyNotification(sequence: Sequence, text: string): Verdict {
  const head = NOTICE.exec(text)?.[0]
  if (head === undefined) return false
  const body = sequence.payload.subarray(head.length)
  if (/[;:]e=1[;:]/.test(head)) return isBase64(text.slice(head.length))
  return rewritten(sequence, head, sanitize(body, MAX_NOTICE))
}

function namedNotification(sequence: Sequence, text: string): Verdict {
  const head = '777;notify;'
  if (!text.startsWith(head)) return false
  return rewritten(sequence, head, sanitize(sequence.payload.subarray(head.length), MAX_NOTICE))
}

/** Valid base64, with or without padding; programs decode invalid base64 in different ways. */
function isBase64(text: string): boolean {
  const over = text.length % 4
  return BASE64.test(text) && (over === 0 || (over > 1 && !text.endsWith('=')))
}

/**
 * Writing the clipboard is allowed: an agent's "copy" needs it, and the user sees the pasted text. Reading it (`?`)
 * would type it into the box, and an empty write only clears it. Text with controls is refused: in a terminal that
 * pastes ESC unchanged, `ESC [ 201 ~` would end the paste, and the text after it would be typed.
 */
function clipboard(text: string): boolean {
  const head = CLIPBOARD.exec(text)?.[0]
  if (head === undefined || text.length > MAX_CLIPBOARD) return false
  const encoded = text.slice(head.length)
  if (!encoded || !isBase64(encoded)) return false
  const decoded = Buffer.from(encoded, 'base64')
  return isUtf8(decoded) && !/[^\P{Cc}\t\n\r]/u.test(decoded.toString())
}

const matches =
  (pattern: RegExp, limit: number) =>
  (_: Sequence, text: string): boolean =>
    text.length <= limit && pattern.test(text)

const RULES = new Map<string, (sequence: Sequence, text: string) => Verdict>([
  ...['0', '1', '2'].map((number) => [number, title] as const),
  ['4', matches(PALETTE, 8192)], // all 256 colours at once
  ...['10', '11', '12', '17', '19'].map((number) => [number, matches(DYNAMIC, 256)] as const),
  ...['104', ...Array.from({ length: 10 }, (_, i) => `11${i}`)].map(
    (number) => [number, matches(RESETS, 1100)] as const,
  ),
  ['8', (_, text) => link(text)],
  ['9', notification],
  ['99', kittyNotification],
  ['777', namedNotification],
  ['22', matches(POINTER, 140)],
  ['52', (_, text) => clipboard(text)],
  ['133', matches(PROMPT, MAX_MARK)],
  ['633', matches(EDITOR_PROMPT, MAX_MARK)],
])

export function judgeOsc(sequence: Sequence): Verdict {
  if (sequence.malformed) return false
  const { text } = sequence
  const end = text.indexOf(';')
  return RULES.get(end < 0 ? text : text.slice(0, end))?.(sequence, text) ?? false
}

/** `ESC k title ST` names a window of GNU screen and tmux. Other terminals show its text, so only clean titles pass. */
export function judgeTitle(sequence: Sequence): boolean {
  if (sequence.malformed) return false
  return Buffer.from(sanitize(sequence.payload, MAX_TITLE)).equals(sequence.payload)
}
