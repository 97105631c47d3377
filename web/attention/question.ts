/**
 * Reads the question of an agent from the lines of its screen, and what may be answered: menus of Claude Code, Codex,
 * Gemini CLI and their like, and the questions of ordinary programs. Pure. The lines are a box's: they decide which keys
 * are offered, and never what is sent without a tap.
 */

/** A key to offer as an answer. */
export interface Choice {
  /** What the key is called: `1`, `Enter`. */
  readonly key: string
  readonly label: string
  /** What to type. */
  readonly send: string
  readonly kind: 'yes' | 'no' | 'other'
}

export interface Question {
  /** The screen above the answers, without frames and rules. */
  readonly lines: readonly string[]
  readonly choices: readonly Choice[]
}

export interface ScreenLines {
  /** The width of the screen. */
  readonly columns: number
  readonly lines: readonly string[]
  readonly cursor: { readonly row: number; readonly column: number }
}

const MAX_LINES = 24 // of the screen, above the answers
const MAX_CHOICES = 9
const MAX_LABEL = 160 // characters
const MARK = '❯›●▸▶→>*'
/** A numbered answer, perhaps the one that is chosen now. */
const ANSWER = new RegExp(`^(\\s*)([${MARK}]?)(\\s*)(\\d{1,2})[.)]\\s+(\\S.*)$`, 'u')
/** An answer without a number, chosen now; an agent's own prompt looks like that, too, but is the last of its kind. */
const CHOSEN = /^\s*[❯›●▸▶→]\s+\S/u
const PROMPT = /^\s*[❯›>](?:\s|$)/u
const FRAME = /^\s*[│┃|]\s?|\s*[│┃|]\s*$/gu
const FRAMED = /[│┃|╮╯┐┘┤]\s*$/u
const RULE = /^[\s─━═╌┄┈╭╮╰╯┌┐└┘├┤┬┴▔▁_=-]*$/u
/** Drawn across the screen above a question. */
const WHOLE_RULE = /^\s*[─━═▔]{20,}\s*$/u
const KEY_HINT = /\s*\((?:[a-z]|esc|enter|shift\+tab|tab)\)\s*$/i
const YES_OR_NO = /[[(]\s*y(?:es)?\s*[/|]\s*n(?:o)?\b[^\])]*[\])]\s*[?:]?\s*$/i
const ENTER_HINT = /\b(?:press|hit)\s+(?:\[?enter\]?|return|any key)\b/i

export const ENTER: Choice = { key: 'Enter', label: 'Enter', send: '\r', kind: 'other' }
export const ESCAPE: Choice = { key: 'Esc', label: 'Esc', send: '\x1b', kind: 'other' }
export const UP: Choice = { key: '↑', label: 'up', send: '\x1b[A', kind: 'other' }
export const DOWN: Choice = { key: '↓', label: 'down', send: '\x1b[B', kind: 'other' }

export function questionOf(screen: ScreenLines): Question {
  const { rows, cursor } = unwrapped(screen)
  const lines = rows.map((line) => line.replace(FRAME, '').trimEnd())
  const menu = lastMenu(lines)
  if (menu) return { lines: above(lines, menu.start), choices: menu.choices }
  // The agent's own prompt, where the cursor is, and what is written below it, are not what it says.
  const isAtPrompt = PROMPT.test(lines[cursor.row] ?? '')
  let end = isAtPrompt ? cursor.row : lines.length
  while (end > 0 && RULE.test(lines[end - 1] ?? '')) end--
  return { lines: above(lines, end), choices: plainChoices(lines, end, cursor) }
}

/** Joins rows that the terminal has wrapped: programs that leave that to it give it whole lines. */
function unwrapped({ columns, lines, cursor }: ScreenLines): {
  readonly rows: readonly string[]
  readonly cursor: ScreenLines['cursor']
} {
  const rows: string[] = []
  let at = cursor.row
  let isFull = false
  for (const [row, line] of lines.entries()) {
    if (isFull && line !== '') {
      rows.push((rows.pop() ?? '') + line)
      if (row <= cursor.row) at--
    } else rows.push(line)
    isFull = line.length >= columns && !RULE.test(line) && !FRAMED.test(line)
  }
  return { rows, cursor: { ...cursor, row: at } }
}

/** Answers to questions that are a line of text, near the end of the screen. */
function plainChoices(
  lines: readonly string[],
  end: number,
  cursor: ScreenLines['cursor'],
): readonly Choice[] {
  const asking = lines.slice(Math.max(0, end - 3), end)
  if (asking.some((line) => YES_OR_NO.test(line))) {
    // A program that reads lines has its cursor behind the question, and waits for Enter.
    const isLine = YES_OR_NO.test(lines[cursor.row] ?? '')
    const enter = isLine ? '\r' : ''
    return [
      { key: 'y', label: 'Yes', send: `y${enter}`, kind: 'yes' },
      { key: 'n', label: 'No', send: `n${enter}`, kind: 'no' },
    ]
  }
  if (asking.some((line) => ENTER_HINT.test(line))) return [{ ...ENTER, label: 'Continue', kind: 'yes' }]
  const chosen = lines.slice(0, end).filter((line) => CHOSEN.test(line)).length
  const isMenu =
    chosen === 1 && asking.some((line) => /\b(?:enter|↵|⏎)\b.*\b(?:select|confirm|choose)|↑/i.test(line))
  return isMenu ? [UP, DOWN, { ...ENTER, label: 'Choose' }] : []
}

interface Menu {
  /** Its first line. */
  readonly start: number
  readonly choices: readonly Choice[]
}

/** The last list that is numbered from 1 and of which one answer is marked: lists in the agent's prose have no mark. */
function lastMenu(lines: readonly string[]): Menu | undefined {
  for (let start = lines.length - 1; start >= 0; start--) {
    const found = ANSWER.exec(lines[start] ?? '')
    if (found?.[4] !== '1') continue
    const menu = menuAt(lines, start)
    if (menu) return menu
  }
  return undefined
}

function menuAt(lines: readonly string[], start: number): Menu | undefined {
  const answers: string[] = []
  let isMarked = false
  let indent = 0
  let at = start
  for (; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const found = ANSWER.exec(line)
    if (found && Number(found[4]) === answers.length + 1) {
      const [, before = '', mark = '', between = '', number = '', text = ''] = found
      isMarked ||= mark !== ''
      indent = before.length + mark.length + between.length + number.length
      answers.push(text)
    } else if (line.trim() === '' || line.search(/\S/) <= indent) {
      break
    } else {
      answers.push(`${answers.pop() ?? ''} ${line.trim()}`) // the rest of a long answer
    }
  }
  if (!isMarked || answers.length < 2 || isFollowedByPrompt(lines.slice(at))) return undefined
  const choices = answers.slice(0, MAX_CHOICES).map((text, at) => choiceOf(`${at + 1}`, text))
  return { start, choices }
}

/** A list above a prompt is a message of the user's, which agents mark in the same way. */
const isFollowedByPrompt = (lines: readonly string[]): boolean => lines.some((line) => PROMPT.test(line))

function choiceOf(key: string, text: string): Choice {
  const label = text.replace(KEY_HINT, '').trim()
  const short = label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL - 1)}…` : label
  const kind = /^(?:yes|allow|approve|proceed|ok|continue|accept|trust)\b/i.test(label)
    ? 'yes'
    : /^(?:no|deny|reject|cancel|exit|quit|abort|don['’]t)\b/i.test(label)
      ? 'no'
      : 'other'
  return { key, label: short, send: key, kind }
}

/** The lines before `end`, from the last whole rule on, without rules and repeated blanks. */
function above(lines: readonly string[], end: number): readonly string[] {
  const before = lines.slice(0, end)
  const rule = before.findLastIndex((line) => WHOLE_RULE.test(line))
  const own = before.slice(rule + 1)
  const isEnough = own.filter((line) => line.trim() !== '').length >= 2
  const found: string[] = []
  for (const line of isEnough ? own : before) {
    const isBlank = RULE.test(line)
    if (!isBlank) found.push(line)
    else if (found.length && found.at(-1) !== '') found.push('')
  }
  while (found.at(-1) === '') found.pop()
  return outdented(found.slice(-MAX_LINES))
}

/** Without the blanks that all lines begin with. */
function outdented(lines: readonly string[]): readonly string[] {
  const indents = lines.flatMap((line) => (line === '' ? [] : line.search(/\S/)))
  const least = indents.length ? Math.min(...indents) : 0
  const from = lines[0] === '' ? 1 : 0
  return lines.slice(from).map((line) => line.slice(least))
}
