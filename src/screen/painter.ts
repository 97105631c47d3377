/** Writes the lines of a buffer so that a freshly reset terminal gets the same cells and wraps. */

import type { Steps } from '../core/steps.ts'
import { inOneColumn, isFlag, joins } from './clusters.ts'
import { BG, type Buffer, type Cell, type Core, type Line, newCell } from './internals.ts'
import { MAX_RENDERED, MAX_RENDERED_LINKS } from './limits.ts'
import {
  type Attributes,
  attributesOf,
  backgroundOf,
  PLAIN,
  same,
  sameLook,
  select,
  showsWhenEmpty,
} from './pen.ts'
import { isLoneMark } from './width.ts'

interface Row {
  /** One entry per column; `undefined` is the second half of a wide character. */
  readonly cells: readonly (Content | undefined)[]
  /** Columns up to the last one that differs from a blank line. */
  readonly used: number
}

export interface Content {
  /** Empty: nothing was written here, or it was erased. */
  readonly text: string
  readonly width: number
  readonly look: Attributes
  /** A space that stands for an empty cell with visible attributes. */
  readonly wasEmpty?: boolean
}

const BLANK: Content = { text: '', width: 1, look: PLAIN }

export class Painter {
  readonly #core: Core
  readonly #cell: Cell
  readonly #isExact: boolean
  #out: string[] = []
  #length = 0
  #linkLength = 0
  #pen: Attributes = PLAIN

  /** `exact`: for an emulator of our own, which counts code points. */
  constructor(core: Core, exact = false) {
    this.#core = core
    this.#isExact = exact
    this.#cell = newCell(core)
  }

  write(text: string): void {
    this.#out.push(text)
    this.#length += text.length
  }

  /** Characters written since the last `take`. */
  get length(): number {
    return this.#length
  }

  /** The output since the last call. */
  take(): string {
    const text = this.#out.join('')
    this.#out = []
    this.#length = 0
    return text
  }

  /** Sets the attributes of the text written next. */
  pen(to: Attributes): void {
    if (same(this.#pen, to)) return
    if (!sameLook(this.#pen, to)) {
      this.write(select(to))
      if (this.#pen.bg & BG.protected && !(to.bg & BG.protected)) this.write('\x1b["q')
    }
    if (this.#pen.link !== to.link) this.write(this.#link(to.link))
    this.#pen = to
  }

  #link(number: number): string {
    const link = number === 0 ? undefined : this.#core._oscLinkService.getLinkData(number)
    this.#linkLength += link?.uri.length ?? 0
    if (!link || this.#linkLength > MAX_RENDERED_LINKS) return '\x1b]8;;\x1b\\'
    return `\x1b]8;${link.id ? `id=${link.id}` : ''};${link.uri}\x1b\\`
  }

  /**
   * Writes every line of a buffer but the first `skip`, from the top left of an empty screen with all modes as after a
   * reset. Stops when the output is too long and more lines can be skipped.
   */
  *buffer(buffer: Buffer, skip: number): Steps<void> {
    const { lines, ybase } = buffer
    let row = this.#read(lines.get(skip))
    let from = this.#wrappedTop(buffer)
    // Lines of the scrollback are pushed out by the lines below them, including blank ones.
    const last = ybase > 0 ? lines.length - 1 : this.#lastUsed(buffer)
    for (let y = skip; ; y++) {
      if (this.#length > MAX_RENDERED && skip < ybase) return
      const next = y < last ? lines.get(y + 1) : undefined
      const nextRow = this.#read(next)
      const wraps = next?.isWrapped === true && this.#core.rows > 1
      // A wide character once left the last column empty, and the text that wrapped is gone.
      const leaves = y < last && this.#core.rows > 1 && row.cells.at(-1)?.wasEmpty === true
      const column = this.#row(row, from, leaves)
      if (y >= last) return
      from = wraps || leaves ? this.#wrap(row, column, nextRow) : this.#newline()
      if (leaves && !next?.isWrapped) this.write('\x1b[2K') // this also removes the mark of the wrap
      row = nextRow
      yield
    }
  }

  /**
   * The part of one line that fits into `columns`, on an empty line. The cursor starts in column 0 and ends anywhere.
   */
  line(line: Line | undefined, columns: number): void {
    const { cells, used } = this.#read(line)
    const shown = cells.slice(0, columns)
    const last = shown.at(-1)
    // A wide character loses its other half, and a lone mark has no cell to its right from which it can be added.
    if (last && (last.width === 2 || isLoneMark(last.text)))
      shown[columns - 1] = {
        text: ' ',
        width: 1,
        look: last.width === 2 ? last.look : backgroundOf(last.look),
      }
    this.#row({ cells: shown, used: Math.min(used, columns) }, 0, false)
    this.pen(PLAIN)
  }

  /** Reads a line; single halves of wide characters become blanks. */
  #read(line: Line | undefined): Row {
    const { cols } = this.#core
    const cells: (Content | undefined)[] = new Array(cols).fill(BLANK)
    let used = 0
    for (let x = 0; line !== undefined && x < Math.min(cols, line.length); x++) {
      const content = this.content(line, x)
      cells[x] = content
      if (content === BLANK) continue
      if (content.width === 2) cells[++x] = undefined
      used = x + 1
    }
    return { cells, used }
  }

  /** The content of a column in which a character begins. */
  content(line: Line, x: number): Content {
    const cell = line.loadCell(x, this.#cell)
    const look = attributesOf(cell)
    const text = cell.getChars()
    const width = cell.getWidth()
    if (width === 2 && (x + 1 >= line.length || line.getWidth(x + 1) !== 0))
      return { text: ' ', width: 1, look }
    if (text !== '' && width > 0) return { text, width, look }
    if (showsWhenEmpty(look)) return { text: ' ', width: 1, look, wasEmpty: true }
    const background = backgroundOf(look)
    return background === PLAIN ? BLANK : { text: '', width: 1, look: background }
  }

  #lastUsed({ lines }: Buffer): number {
    for (let y = lines.length - 1; y > 0; y--) {
      const line = lines.get(y)
      const { cells, used } = this.#read(line)
      if (cells.at(-1)?.wasEmpty) return Math.min(y + 1, lines.length - 1)
      if (line?.isWrapped || used > 0) return y
    }
    return 0
  }

  /** Writes a row from column 0 and returns the cursor's column after it. `from` 1: a space must still be removed. */
  #row({ cells, used: all }: Row, from: number, leaves: boolean): number {
    let column = 0
    const used = leaves ? all - 1 : all
    if (from > 0 && cells[0] === BLANK) {
      this.pen(PLAIN)
      this.write('\x1b[X')
    }
    for (let x = 0; x < used; ) {
      const content = cells[x] ?? BLANK
      if (content.text === '') {
        x = this.#empty(cells, x, used, content, column)
        continue
      }
      const end = this.#sign(cells, x, used)
      if (end > x) {
        x = column = end
        continue
      }
      const lone = x > 0 && x + 1 < cells.length && isLoneMark(content.text)
      // A mark alone in a cell was added to an empty one.
      const target = lone ? x + 1 : x
      if (target > column) this.write(target - column === 1 ? '\x1b[C' : `\x1b[${target - column}C`)
      if (lone && !same(content.look, PLAIN)) this.write(`\x1b[D`)
      this.pen(content.look)
      if (lone && !same(content.look, PLAIN)) this.write('\x1b[X\x1b[C')
      if (isLoneMark(content.text) && x > 0 && !lone) this.write(' ')
      this.write(this.#text(content, cells[x + 1]?.text !== ''))
      x += content.width
      column = x
      // Terminals disagree on the width of some emoji: this keeps the rest of the row in place.
      if (x < cells.length && isDisputed(content.text)) this.write(`\x1b[${x + 1}G`)
    }
    return column
  }

  #text({ text, width }: Content, isBeforeText: boolean): string {
    return width === 1 && isBeforeText && !this.#isExact ? inOneColumn(text) : text
  }

  /**
   * Writes cells that some terminals would join to one sign (clusters.ts), so that all show each in its own columns.
   * Returns the column after them; `x` if there is no such sign, or if the cursor has to hang at the edge after it.
   */
  #sign(cells: Row['cells'], x: number, used: number): number {
    const parts: { readonly x: number; readonly content: Content }[] = []
    let end = x
    for (let next = cells[x]; next && next.text !== '' && end < used; next = cells[end]) {
      const before = parts.at(-1)?.content.text
      const isHalf = parts.length === 1 && isFlag(before ?? '', next.text)
      if (before !== undefined && !isHalf && !joins(before, next.text)) break
      parts.push({ x: end, content: next })
      end += next.width
      if (isHalf) break
    }
    const [first, second] = parts
    if (!first || !second || end >= cells.length) return x
    // The halves of a flag have two columns together, and terminals disagree about one alone. Other parts are written
    // from the right to the left, so that none comes after the one that it would join.
    const isWhole = isFlag(first.content.text, second.content.text)
    if (x === 0)
      this.write(isWhole ? '' : ' ') // the cursor may hang at the edge of the row before, and only text wraps
    else if (isWhole) this.write(`\x1b[${first.x + 1}G`)
    for (const part of isWhole ? parts : parts.toReversed()) {
      if (!isWhole) this.write(`\x1b[${part.x + 1}G`)
      this.pen(part.content.look)
      this.write(this.#text(part.content, true))
    }
    this.write(`\x1b[${end + 1}G`)
    return end
  }

  /** Erases a run of empty cells of one colour; cells without a colour are only skipped. */
  #empty(cells: Row['cells'], start: number, used: number, { look }: Content, column: number): number {
    let end = start + 1
    while (end < used && cells[end]?.text === '' && same(cells[end]?.look ?? PLAIN, look)) end++
    if (look === PLAIN) return end
    if (start > column) this.write(`\x1b[${start - column}C`)
    this.pen(look)
    this.write(end - start === 1 ? '\x1b[X' : `\x1b[${end - start}X`)
    // Back to the column where the caller expects the cursor.
    if (start > column) this.write(`\x1b[${start - column}D`)
    return end
  }

  /** The pen's background fills a line that scrolls in. */
  #plainBackground(): void {
    if (backgroundOf(this.#pen) !== PLAIN) this.pen(PLAIN)
  }

  #newline(): number {
    this.#plainBackground()
    this.write('\r\n')
    return 0
  }

  /**
   * Goes to the next line as a terminal does when a line is full, so that both count as one long line. Returns 1 if
   * that left a space in the first column.
   */
  #wrap({ cells }: Row, column: number, next: Row): number {
    const first = next.cells[0] ?? BLANK
    if (column === cells.length) {
      const { text, look } = first
      if (text !== '' && !isLoneMark(text) && same(backgroundOf(look), PLAIN)) return 0
      this.pen(PLAIN)
      this.write(' \r')
      return 1
    }
    // The last column is too narrow for a wide character: it stays empty, with the attributes of the character.
    this.write(`\x1b[${cells.length}G`)
    this.pen(cells.at(-1)?.look ?? PLAIN)
    this.write('\u3000')
    this.pen(PLAIN)
    this.write('\x1b[K\r\x1b[2X')
    return 0
  }

  /** A first line that continues a deleted one: made by wrapping and then deleting the line above. */
  #wrappedTop({ lines, ybase }: Buffer): number {
    if (ybase > 0 || !lines.get(0)?.isWrapped || this.#core.rows < 2) return 0
    this.write(`${'x'.repeat(this.#core.cols)} \x1b[H\x1b[M`)
    return 1
  }
}

const isDisputed = (text: string) => text.length > 1
