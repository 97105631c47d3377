/**
 * Turns a terminal's output into plain text for `grep` and for reading, with each line as it was last seen. Sequences
 * and control characters except `\n` and `\t` are removed, and an overwritten line (a progress bar) appears in its last
 * state. A cursor movement out of the line begins a new one. Pure but for its state.
 */
import { ByteBuffer } from './byte-buffer.ts'
import { Line } from './line.ts'
import { key, type Sequence } from './sequence.ts'
import type { Sink } from './sink.ts'
import { Tokenizer } from './tokenizer.ts'

const MAX_LINE = 65_536 // bytes; the rest of a longer line is passed on without editing
const BLANKS = new Uint8Array(4096).fill(0x20) // no terminal is wider
const NEWLINE = 0x0a
const CR = 0x0d
const BS = 0x08

/** CSI that leave the line. */
const MOVES = new Set([...'ABEFHLMSTdefr'].map(key))
/** Moves of a program that paints; a shell's prompt that fills several rows makes some, too. */
const PAINTED = 40
const ALTERNATE = new Set([47, 1047, 1049])
const PRIVATE = new Set(['?h', '?l'].map(key))
const CURSOR_FORWARD = [key('C'), key('a')]
const REPEAT = key('b')
/** Editing within the line: column, back, erase, delete, insert. */
const EDITS: ReadonlyMap<number, 'column' | 'back' | 'erase' | 'blank' | 'delete' | 'insert'> = new Map([
  [key('G'), 'column'],
  [key('`'), 'column'],
  [key('D'), 'back'],
  [key('K'), 'erase'],
  [key('X'), 'blank'],
  [key('P'), 'delete'],
  [key('@'), 'insert'],
])
const CLEAR = key('J')
const COLOUR = key('m') // the most frequent sequence

export class Stripper {
  readonly #tokenizer: Tokenizer
  /** Complete lines, and after `#begin` the current line while it is only appended to. */
  readonly #out = new ByteBuffer(4 * MAX_LINE)
  #begin = 0
  /** The current line, once it has been edited. */
  #line: Line | undefined
  #moves = 0
  #return = false // the last byte was a CR: a following LF ends the line

  constructor() {
    const sink: Sink = {
      text: (bytes, from, to) => this.#text(bytes, from, to),
      control: (code) => this.#control(code),
      sequence: (sequence) => this.#sequence(sequence),
    }
    this.#tokenizer = new Tokenizer(sink, '\t')
  }

  /** The number of bytes kept at present. */
  get held(): number {
    return this.#tokenizer.held + this.#out.length + (this.#line?.length ?? 0)
  }

  /** Whether so many moves out of the line came, or a switch of the screen, that the lines are fragments of a picture. */
  get isPainted(): boolean {
    return this.#moves >= PAINTED
  }

  /** The line that is not complete yet, as it looks now. */
  get unfinished(): Uint8Array {
    return this.#line ? Buffer.from(this.#line.text) : this.#out.bytes.slice(this.#begin, this.#out.length)
  }

  /** Returns the lines that are complete now. */
  push(bytes: Uint8Array): Uint8Array {
    this.#tokenizer.push(bytes)
    const done = this.#out.bytes.slice(0, this.#begin)
    this.#out.bytes.copyWithin(0, this.#begin, this.#out.length)
    const rest = this.#out.length - this.#begin
    if (rest) this.#out.length = rest
    else this.#out.clear()
    this.#begin = 0
    return done
  }

  /** Returns the last line, which had no end. */
  flush(): Uint8Array {
    this.#settle()
    const last = this.#out.bytes.slice(0, this.#out.length)
    this.#out.clear()
    this.#begin = 0
    return last
  }

  #text(bytes: Uint8Array, from: number, to: number): void {
    if (this.#return) this.#edit().cursor = 0
    this.#return = false
    if (this.#line) {
      this.#line.write(bytes.subarray(from, to))
      if (this.#line.length > MAX_LINE) this.#flow()
      return
    }
    this.#out.reserve(to - from)
    this.#out.bytes.set(bytes.subarray(from, to), this.#out.length)
    this.#out.length += to - from
    if (this.#out.length - this.#begin > MAX_LINE) this.#begin = this.#out.length
  }

  #control(code: number): void {
    if (code === CR) this.#return = true
    else if (code >= NEWLINE && code < CR) this.#newline()
    else if (code === BS) this.#edit().cursor--
  }

  #newline(): void {
    this.#return = false
    this.#settle()
    this.#out.append(Uint8Array.of(NEWLINE))
    this.#begin = this.#out.length
  }

  /** Begin a new line unless this one is empty: programs that paint move much more often than they write. */
  #break(moves = 1): void {
    this.#moves += moves
    this.#settle()
    if (this.#out.length > this.#begin) this.#newline()
    this.#return = false
  }

  /** The line as an object that can be edited. */
  #edit(): Line {
    if (!this.#line) {
      this.#line = new Line(this.#out.bytes.subarray(this.#begin, this.#out.length))
      this.#out.length = this.#begin
    }
    if (this.#return) this.#line.cursor = 0
    this.#return = false
    return this.#line
  }

  /** The edited line has its final state. */
  #settle(): void {
    if (this.#line) this.#out.append(Buffer.from(this.#line.text))
    this.#line = undefined
  }

  #flow(): void {
    this.#settle()
    this.#begin = this.#out.length
  }

  #sequence(sequence: Sequence): void {
    const { kind, key: id } = sequence
    if (sequence.malformed || id === COLOUR) return
    if (kind === 'esc') {
      if (!sequence.intermediates && 'DEMc'.includes(String.fromCharCode(sequence.final))) this.#break()
    } else if (kind === 'csi') {
      this.#csi(id, sequence)
      if (this.#line && this.#line.length > MAX_LINE) this.#flow() // through REP or insertion
    }
  }

  #csi(id: number, sequence: Sequence): void {
    const [first = 0] = sequence.numbers
    const count = Math.max(1, first)
    const edit = EDITS.get(id)
    if (CURSOR_FORWARD.includes(id)) this.#forward(count)
    else if (id === REPEAT) this.#edit().repeat(count)
    else if (edit) this.#editing(edit, first, count)
    else if (id === CLEAR) {
      if (first === 0) this.#editing('erase', 0, 1)
      else this.#break()
    } else if (PRIVATE.has(id)) {
      if (sequence.numbers.some((n) => ALTERNATE.has(n))) this.#break(PAINTED)
    } else if (MOVES.has(id)) this.#break()
  }

  /** TUIs use this for blanks, so the line can stay append-only. */
  #forward(count: number): void {
    if (this.#line || this.#return) this.#edit().forward(count)
    else {
      this.#out.append(BLANKS.subarray(0, count))
      if (this.#out.length - this.#begin > MAX_LINE) this.#begin = this.#out.length
    }
  }

  #editing(
    what: 'column' | 'back' | 'erase' | 'blank' | 'delete' | 'insert',
    first: number,
    count: number,
  ): void {
    // Programs erase to the end after each line they write: nothing to do, and no reason to leave the fast path.
    if (what === 'erase' && first === 0 && !this.#line && !this.#return) return
    const line = this.#edit()
    if (what === 'column') line.cursor = count - 1
    else if (what === 'back') line.cursor -= count
    else if (what === 'erase') line.erase(first)
    else if (what === 'blank') line.blank(count)
    else if (what === 'delete') line.delete(count)
    else line.insert(count)
  }
}
