/**
 * The line that is being typed at a terminal, as far as keys tell. Programs edit lines in different ways, and some keys bring
 * text that nobody typed here. So there are several possible lines: a key whose effect depends on the program adds
 * some. Pure.
 */
import { isContinuation, type Key } from './keys.ts'

/** Lines that end an agent. */
export const ENDING_LINES = ['exit', '/exit', 'quit', '/quit']

/** In a line: text that a completion may have added here. */
const COMPLETED = '\0'
/** One character of several bytes; which one does not matter. */
const OTHER = '\ufffd'

const MAX_LINES = 8 // possible ones; the longest are forgotten first, because an ending line is short
const MAX_LENGTH = 4096
const MIN_COMPLETED = 2 // typed characters of a completed word: fewer fit too many words

interface Line {
  readonly text: string
  readonly cursor: number
}

const EMPTY: Line = { text: '', cursor: 0 }

export class TypedLine {
  #lines: readonly Line[] = [EMPTY]

  /** Returns the line that Enter would send and that ends an agent; undefined if there is none. */
  get ending(): string | undefined {
    return ENDING_LINES.find((word) => this.#lines.some(({ text }) => isPossibly(text, word)))
  }

  /** Forgets everything: another program reads now. */
  reset(): void {
    this.#lines = [EMPTY]
  }

  /** The program gets a key. */
  add(key: Key): void {
    const { means, isRelease } = key
    if (means === 'nothing' || isRelease) return
    if (means === 'enter') return this.reset()
    if (means === 'text' || means === 'pasted') return this.#each((line) => [insert(line, textOf(key))])
    this.#each(EDITS[means] ?? ((line) => [line, EMPTY]))
  }

  #each(edit: (line: Line) => readonly Line[]): void {
    const [only, ...others] = this.#lines
    if (only && !others.length) {
      const [edited, ...more] = edit(only)
      if (edited && !more.length) {
        this.#lines = [edited]
        return
      }
    }
    const lines = new Map<string, Line>()
    for (const line of this.#lines.flatMap(edit)) lines.set(`${line.cursor} ${line.text}`, line)
    const shortest = [...lines.values()].sort((a, b) => a.text.length - b.text.length)
    this.#lines = shortest.slice(0, MAX_LINES)
  }
}

/** Whether a line may be this word, when completions may have added something. */
function isPossibly(text: string, word: string): boolean {
  const line = text.trim().toLowerCase()
  if (!line.includes(COMPLETED)) return line === word
  const parts = line.split(COMPLETED).map((part) => part.trim())
  const typed = parts.join('')
  if (typed.length < MIN_COMPLETED || typed.length > word.length) return false
  const pattern = parts.map((part) => part.replace(/[^a-z]/g, '\\$&')).join('.*')
  return new RegExp(`^${pattern}$`).test(word)
}

function textOf({ bytes, means, text }: Key): string {
  if (text !== undefined) return text
  let typed = ''
  for (const byte of bytes) {
    if (means === 'pasted' && byte === 0x0d) typed += '\n'
    else if (means === 'pasted' && byte === 0x09) typed += ' '
    else if (byte < 0x80) typed += String.fromCharCode(byte)
    else if (!isContinuation(byte)) typed += OTHER
  }
  return typed
}

function insert({ text, cursor }: Line, typed: string): Line {
  const longer = text.slice(0, cursor) + typed + text.slice(cursor)
  return at(longer.slice(0, MAX_LENGTH), cursor + typed.length)
}

const at = (text: string, cursor: number): Line => ({
  text,
  cursor: Math.max(0, Math.min(cursor, text.length)),
})
const cut = ({ text }: Line, from: number, to: number): Line =>
  at(text.slice(0, Math.max(from, 0)) + text.slice(to), from)

function skip(text: string, from: number, step: 1 | -1, over: RegExp): number {
  let place = from
  const next = (): string => text.charAt(step < 0 ? place - 1 : place)
  while (next() !== '' && over.test(next())) place += step
  return place
}

/** Programs differ in what a word is: all up to a space, or letters and digits alone. */
const KINDS_OF_WORDS: readonly (readonly [between: RegExp, within: RegExp])[] = [
  [/\s/, /\S/],
  [/\W/, /\w/],
]
const words = ({ text, cursor }: Line, step: 1 | -1): readonly number[] =>
  KINDS_OF_WORDS.map(([between, within]) => skip(text, skip(text, cursor, step, between), step, within))

const left = (line: Line): readonly Line[] => [at(line.text, line.cursor - 1)]
/** At the end of a line, keys that go further to the right take what the program suggests. */
const completed = (line: Line): readonly Line[] =>
  line.text.endsWith(COMPLETED) ? [line] : [insert(line, COMPLETED)]
const right = (line: Line): readonly Line[] =>
  line.cursor < line.text.length ? [at(line.text, line.cursor + 1)] : completed(line)
const home = (line: Line): readonly Line[] => [at(line.text, 0)]
const end = (line: Line): readonly Line[] => {
  const { text, cursor } = line
  return cursor < text.length ? [at(text, text.length)] : completed(line)
}

/** The last character, and what programs take for one: a run of marks and joined characters, or a completion. */
function backspace(line: Line): readonly Line[] {
  const { text, cursor } = line
  const last = text[cursor - 1]
  const one = cut(line, cursor - 1, cursor)
  if (last === COMPLETED) return [one, cut(line, cursor - 2, cursor), line]
  if (last !== OTHER) return [one]
  return [one, cut(line, skip(text, cursor, -1, /\ufffd/), cursor)]
}

const backWord = (line: Line): readonly Line[] => words(line, -1).map((from) => cut(line, from, line.cursor))
const toStart = (line: Line): readonly Line[] => [cut(line, 0, line.cursor), EMPTY]
const stays = (line: Line): readonly Line[] => [line]

/** What keys do to a line in readline, and in the line mode of the terminal. */
const EDITS: { readonly [name: string]: (line: Line) => readonly Line[] } = {
  backspace,
  left,
  right,
  home,
  end,
  delete: (line) => [cut(line, line.cursor, line.cursor + 1)],
  tab: (line) => (line.text.endsWith(COMPLETED) ? [line] : [insert(line, COMPLETED)]),
  'ctrl-a': home,
  'ctrl-b': left,
  'ctrl-e': end,
  'ctrl-f': right,
  'ctrl-k': (line) => [cut(line, line.cursor, line.text.length)],
  'ctrl-l': stays,
  'ctrl-q': stays,
  'ctrl-s': stays,
  'ctrl-u': toStart,
  'ctrl-w': backWord,
  'alt-b': (line) => words(line, -1).map((cursor) => at(line.text, cursor)),
  'alt-backspace': backWord,
  'alt-d': (line) => words(line, 1).map((to) => cut(line, line.cursor, to)),
  'alt-f': (line) => [...words(line, 1).map((cursor) => at(line.text, cursor)), ...right(line)],
}
