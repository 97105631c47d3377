/** Prints straight to the descriptor: the first use of `process.stdout` costs 7 ms, and loading node:fs 1 ms. */
import { SysError } from '../../../ffi/libc.ts'
import { writeAll } from '../../../ffi/pipes.ts'
import { getModes, windowSize } from '../../../ffi/terminal.ts'

export { bytes } from '../../core/bytes.ts'

const EPIPE = -32
const EBADF = -9

function say(fd: number, text: string): void {
  const n = writeAll(fd, new TextEncoder().encode(text))
  if (n === EPIPE) process.exit(0) // the reader has seen enough, as with `coop ls | head -1`
  if (n < 0 && n !== EBADF) failed(fd, n) // EBADF: the descriptor was closed, so nobody reads it
}

/** Ends the process with 1 when output is lost, so that no reader takes a part for the whole. */
function failed(fd: number, result: number): never {
  if (fd !== 2)
    say(2, `coop: the output cannot be written (${new SysError('write', result).code}) [E_FAILED]\n`)
  process.exit(1)
}

export function print(text: string): void {
  say(1, forTerminal(1, text))
}

export function printError(text: string): void {
  say(2, forTerminal(2, text))
}

/**
 * Matches everything that coop itself never sends to a terminal; it needs only lines, tabs, colours and the moves of
 * its progress bars. Text of a box or a repository is made printable where it is inserted; this catches forgotten
 * places.
 */
const STRANGE =
  /\x1b(?!\[[\d;]*[mAJK])|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

function forTerminal(fd: number, text: string): string {
  return text.search(STRANGE) < 0 || !isTerminal(fd) ? text : text.replace(STRANGE, '\ufffd')
}

export function printWarnings(warnings: readonly string[] = []): void {
  for (const warning of warnings) printError(`${paint('yellow', 'coop:', 2)} ${printable(warning)}\n`)
}

/**
 * Characters that a terminal acts on and JSON does not escape (ECMA-48 C1, Unicode's bidirectional controls), and invisible
 * ones: tags and fillers without width. The joiners of emoji and of Indic scripts (U+200C, U+200D) stay.
 */
const ACTIVE =
  /[\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu

export function printJson(value: unknown): void {
  const unit = (half: string): string => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`
  const text = JSON.stringify(value, null, 2).replace(ACTIVE, (character) =>
    character.split('').map(unit).join(''),
  )
  print(`${text}\n`)
}

export function isTerminal(fd: number): boolean {
  return getModes(fd) !== undefined
}

/** SGR parameters. Without a theme these are colours of the user's own terminal. */
const COLORS = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const

export type ColorName = keyof typeof COLORS
export type Colors = Readonly<Record<ColorName, string>>

let colors: Colors = COLORS

/** Sets the colours of a theme (cli/themed-colors.ts). */
export function useColors(chosen: Partial<Colors>): void {
  colors = { ...COLORS, ...chosen }
}

const wantsColor: (boolean | undefined)[] = []

/** Colors a word when `fd` is a terminal that wants it (no-color.org: NO_COLOR set to anything but ''). */
export function paint(color: ColorName, text: string, fd = 1): string {
  // Cached: after some 30 system calls the engine starts a thread to compile, which costs half a millisecond. It also
  // does that after 64 blocks of its heap, and each kind of object takes a block; so this is no Map.
  const wanted = wantsColor[fd] ?? (isTerminal(fd) && !process.env.NO_COLOR && process.env.TERM !== 'dumb')
  wantsColor[fd] = wanted
  return wanted ? `\x1b[${colors[color]}m${text}\x1b[0m` : text
}

const ASCII = /^[\x20-\x7e]*$/

/** Makes text of a box or a repository harmless for a terminal: replaces control characters. */
export function printable(text: string): string {
  return ASCII.test(text) ? text : text.replace(/[\x00-\x1f]/g, '\ufffd').replace(ACTIVE, '\ufffd')
}

/** Returns the number of columns that a text takes. */
function width(text: string): number {
  return ASCII.test(text) ? text.length : Bun.stringWidth(text)
}

/** Cuts a text to at most so many columns. */
export function shortened(text: string, columns: number): string {
  if (width(text) <= columns) return text
  let room = columns - 1
  let short = ''
  for (const character of text) {
    room -= width(character)
    if (room < 0) break
    short += character
  }
  return `${short}…`
}

/** Splits a text into lines of at most so many columns, behind spaces and the signs of paths and lists where it can. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  let rest = text
  while (width(rest) > columns) {
    let fits = ''
    for (const character of rest) {
      if (width(fits + character) > columns) break
      fits += character
    }
    // A space that just does not fit is a place to break as well.
    const seen = rest[fits.length] === ' ' ? `${fits} ` : fits
    const end = Math.max(...[' ', '/', ',', ':', ';', '='].map((sign) => seen.lastIndexOf(sign))) + 1
    const line = end > columns / 3 ? seen.slice(0, end) : fits || [...rest].slice(0, 1).join('')
    lines.push(line.trimEnd())
    rest = rest.slice(line.length).trimStart()
  }
  if (rest || !lines.length) lines.push(rest)
  return lines
}

/** Lays sentences out in lines, which break at spaces only, so that words and paths can be copied. */
export function filled(text: string, columns: number, first = '', next = first): string[] {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && width(line) + 1 + width(word) > columns) {
      lines.push(line)
      line = next
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}

/** The width for which text is laid out: that of the terminal, or a usual one. */
export const outputWidth = (): number => windowSize(1)?.columns || USUAL_WIDTH

/** The width for sentences: lines across a whole wide screen are hard to read. */
export const readingWidth = (): number => Math.min(outputWidth(), WIDEST_TEXT)

const USUAL_WIDTH = 80
const WIDEST_TEXT = 100
const GAP = 2 // between columns of a table
// Columns shrink to the first width before whole columns are left out, and then to the second. Titles stay whole.
const READABLE_COLUMN = 16
const MIN_COLUMN = 8
const NAME_COLUMN = 32 // the first column, which names the rest, keeps as much while others can shrink

/** Widths of the columns that are shown, by their number: all, or what a terminal of `room` columns has room for. */
export function fittedWidths(
  head: readonly string[],
  wanted: readonly number[],
  spare: readonly number[],
  room: number,
): ReadonlyMap<number, number> {
  const widths = new Map(wanted.entries())
  const over = (): number => [...widths.values()].reduce((sum, each) => sum + each + GAP, -GAP) - room
  const narrow = (least: number, first = least): void => {
    for (let left = over(); left > 0; left--) {
      const [column, widest] = [...widths]
        .filter(([each, size]) => size > Math.max(each === 0 ? first : least, head[each]?.length ?? 0))
        .reduce((a, b) => (b[1] > a[1] ? b : a), [-1, 0])
      if (column < 0) return
      widths.set(column, widest - 1)
    }
  }
  narrow(READABLE_COLUMN, NAME_COLUMN)
  for (const column of spare) {
    if (over() <= 0) break
    widths.delete(column)
    for (const each of widths.keys()) widths.set(each, wanted[each] ?? 0)
    narrow(READABLE_COLUMN, NAME_COLUMN)
  }
  narrow(MIN_COLUMN, NAME_COLUMN)
  narrow(MIN_COLUMN, READABLE_COLUMN)
  narrow(MIN_COLUMN)
  return widths
}

/**
 * Aligned columns, as wide as the terminal or 80. Cells are made printable first; `style` may color a padded cell. A cell
 * without room goes on in the next line. With `spare`, a narrow terminal gets one line for each row: cells are cut, and
 * these columns left out, the first of them first.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: (cell: string, column: number, row: number) => string = (cell) => cell,
  spare: readonly number[] = [],
): string {
  const clean = rows.map((row) => row.map(printable))
  const wanted = head.map((title, column) =>
    Math.max(title.length, ...clean.map((row) => width(row[column] ?? ''))),
  )
  const cuts = spare.length > 0 && windowSize(1) !== undefined
  const widths = fittedWidths(head, wanted, cuts ? spare : [], outputWidth())
  const end = [...widths.keys()].at(-1)
  const line = (cells: readonly string[], row: number): string =>
    [...widths]
      .map(([column, size]) => {
        const cell = cells[column] ?? ''
        const padded = column === end ? cell : cell + ' '.repeat(Math.max(0, size - width(cell)))
        return row < 0 ? paint('bold', padded) : style(padded, column, row)
      })
      .join('  ')
      .trimEnd()
  const parts = (cells: readonly string[]): readonly (readonly string[])[] => {
    const columns = cells.map((cell, column) => {
      const size = widths.get(column)
      if (size === undefined || width(cell) <= size) return [cell]
      return cuts ? [shortened(cell, size)] : wrapped(cell, size)
    })
    const height = Math.max(1, ...columns.map((each) => each.length))
    return Array.from({ length: height }, (_, at) => columns.map((each) => each[at] ?? ''))
  }
  const lines = clean.flatMap((cells, row) => parts(cells).map((part) => line(part, row)))
  return `${[line(head, -1), ...lines].join('\n')}\n`
}

/** Labelled lines; a long value goes on below itself. */
export function details(rows: readonly (readonly string[])[]): string {
  const room = Math.max(outputWidth() - LABEL, LABEL)
  return rows
    .map(([label = '', value = '']) => {
      const lines = wrapped(printable(value), room)
      return `${paint('bold', label.padEnd(LABEL))}${lines.join(`\n${' '.repeat(LABEL)}`)}\n`
    })
    .join('')
}

const LABEL = 10

/** Returns an age such as `3s`, `5m`, `2h`, `4d`. */
export function age(since: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** A path as its owner says it. */
export function homePath(path: string): string {
  const home = process.env.HOME ?? '/'
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}

/** Returns a count with its noun: `1 layer`, `2 layers`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** An amount of money: small ones with more digits, as a request often costs less than a cent. */
export function dollarsText(dollars: number): string {
  return `$${dollars.toFixed(dollars > 0 && dollars < 0.1 ? 4 : 2)}`
}
