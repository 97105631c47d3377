/** One line of text under a cursor, with a cell per code point, which is exact enough for reading. */

import { isUtf8 } from 'node:buffer'
import { characterLength } from './characters.ts'

const MAX_COLUMNS = 4096 // no terminal is wider

export class Line {
  #cells: string[]
  #cursor: number

  constructor(text: Uint8Array) {
    this.#cells = cellsOf(text)
    this.#cursor = this.#cells.length
  }

  get length(): number {
    return this.#cells.length
  }

  /** The text without blanks at the end, which are erased cells. */
  get text(): string {
    return this.#cells.join('')
  }

  get cursor(): number {
    return this.#cursor
  }

  set cursor(column: number) {
    this.#cursor = Math.max(0, Math.min(column, Math.max(MAX_COLUMNS, this.#cells.length)))
  }

  write(text: Uint8Array): void {
    this.#put(cellsOf(text))
  }

  forward(columns: number): void {
    this.cursor += Math.min(columns, MAX_COLUMNS)
    this.#pad()
  }

  /** Repeat the last character (REP). */
  repeat(count: number): void {
    const last = this.#cells[this.#cursor - 1]
    if (last) this.#put(Array<string>(Math.min(count, MAX_COLUMNS)).fill(last))
  }

  /** ECMA-48's EL: 0 erases to the end, 1 to the cursor, 2 everything. */
  erase(what: number): void {
    if (what === 0) this.#cells.length = Math.min(this.#cells.length, this.#cursor)
    else if (what === 1) this.#cells.fill(' ', 0, this.#cursor + 1)
    else if (what === 2) this.#cells.length = 0
  }

  blank(count: number): void {
    this.#cells.fill(' ', this.#cursor, this.#cursor + count)
  }

  delete(count: number): void {
    this.#cells.splice(this.#cursor, count)
  }

  insert(count: number): void {
    if (this.#cursor < this.#cells.length)
      this.#cells.splice(this.#cursor, 0, ...Array<string>(Math.min(count, MAX_COLUMNS)).fill(' '))
  }

  #put(cells: readonly string[]): void {
    this.#pad()
    for (const cell of cells) this.#cells[this.#cursor++] = cell
  }

  #pad(): void {
    while (this.#cells.length < this.#cursor) this.#cells.push(' ')
  }
}

/** A cell for each character or ill-formed byte, independent of the pieces in which the bytes came. */
function cellsOf(text: Uint8Array): string[] {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
  if (isUtf8(bytes)) return [...bytes.toString()]
  const cells: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = (bytes[at] ?? 0) < 0x80 ? 1 : characterLength(bytes, at, bytes.length)
    cells.push(length > 0 ? bytes.toString('utf8', at, at + length) : '\ufffd')
    at += Math.max(1, length)
  }
  return cells
}
