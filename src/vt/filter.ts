/**
 * Output of a hostile program on its way to the user's own terminal, without what acts on the host or makes the
 * terminal type something that the program chose. What is not known is left out. Pure but for its state.
 *
 * Modes, bracketed paste among them, are left to the program: a program that turns it off only gets its own pastes
 * bare, and the client turns modes back when it lets go of the terminal.
 */
import { allowsCsi, allowsEscape } from './csi-rules.ts'
import { judgeOsc, judgeTitle, type Verdict } from './osc-rules.ts'
import { isQuery } from './query.ts'
import type { Sequence } from './sequence.ts'
import type { Sink } from './sink.ts'
import {
  allowsDcs,
  allowsGraphics,
  GRAPHICS_BYTES,
  isSixel,
  SIXEL_BYTES,
  silencedGraphics,
} from './string-rules.ts'
import { Tokenizer } from './tokenizer.ts'

/**
 * BEL, BS, HT, LF, VT, FF, CR, SO, SI. Not ENQ (the terminal types its answerback), CAN (starts a ZMODEM transfer in
 * some), XON and XOFF, NUL and DEL, which do nothing.
 */
const HARMLESS = '\x07\b\t\n\v\f\r\x0e\x0f'
const REPLACEMENT = Buffer.from('\ufffd')
const ST = Buffer.from('\x1b\\')
const NOTHING = new Uint8Array(0)
/** Those of them that nobody has to be told of. */
const WITHOUT_EFFECT = HARMLESS.replace(/[\x0e\x0f]/g, '')
const SHIFT_OUT = 0x0e
const SHIFT_IN = 0x0f

export interface Witness {
  sequence(sequence: Sequence): void
  /** SO or SI. */
  shift(code: number): void
}

export interface FilterOptions {
  /** False: also without what the terminal answers, for output that is shown again (`isQuery`). */
  readonly queries?: boolean
  /** Is told of each sequence that the terminal gets, before it does (src/client/terminal/screen-modes.ts). */
  readonly witness?: Witness
}

export class OutputFilter {
  #tokenizer: Tokenizer
  readonly #answers: boolean
  readonly #witness: Witness | undefined
  #chunk: Uint8Array = NOTHING
  /** The part of the chunk that is kept and not yet a piece. */
  #from = 0
  #to = 0
  #pieces: Uint8Array[] = []
  /** The image under way: which bytes may be in it. */
  #image: Uint8Array | undefined

  constructor(options: FilterOptions = {}) {
    this.#answers = options.queries !== false
    this.#witness = options.witness
    this.#tokenizer = this.#begin()
  }

  /** Bytes of a sequence or character that is not whole yet. Bounded; text never waits. */
  get held(): number {
    return this.#tokenizer.held
  }

  /** What of `bytes` is for the terminal: the same array when nothing is left out, perhaps a part of it. */
  push(bytes: Uint8Array): Uint8Array {
    this.#chunk = bytes
    this.#from = this.#to = 0
    this.#tokenizer.push(bytes)
    const { length } = this.#pieces
    if (length === 0 && this.#from === 0 && this.#to === bytes.length) return bytes
    if (length === 0) return bytes.subarray(this.#from, this.#to)
    this.#cut()
    const pieces = this.#pieces
    this.#pieces = []
    return Buffer.concat(pieces)
  }

  /**
   * No more comes, or what comes next is not what follows: what to write so that the terminal waits for nothing.
   * What was held is left out.
   */
  flush(): Uint8Array {
    const open = this.#image !== undefined
    this.#image = undefined
    this.#tokenizer = this.#begin()
    return open ? ST : NOTHING
  }

  #begin(): Tokenizer {
    const sink: Sink = {
      text: (bytes, from, to) => this.#keep(bytes, from, to),
      control: (code, bytes, from, to) => this.#control(code, bytes, from, to),
      sequence: (sequence) => this.#settle(sequence, this.#judge(sequence)),
      stream: (header) => this.#stream(header),
      data: (bytes, from, to) => this.#data(bytes, from, to),
      end: () => this.#end(),
    }
    return new Tokenizer(sink, WITHOUT_EFFECT)
  }

  #cut(): void {
    if (this.#from < this.#to) this.#pieces.push(this.#chunk.subarray(this.#from, this.#to))
    this.#from = this.#to
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (bytes !== this.#chunk) return this.#put(new Uint8Array(bytes.subarray(from, to)))
    if (from !== this.#to) {
      this.#cut()
      this.#from = from
    }
    this.#to = to
  }

  #put(piece: Uint8Array): void {
    this.#cut()
    this.#pieces.push(piece)
  }

  /** A stray 8-bit control is no character either way, and is shown as such; terminals disagree on what it does. */
  #control(code: number, bytes: Uint8Array, from: number, to: number): void {
    if (code >= 0x80) {
      if (to - from === 1) this.#put(REPLACEMENT)
    } else if (HARMLESS.includes(String.fromCharCode(code))) {
      if (code === SHIFT_OUT || code === SHIFT_IN) this.#witness?.shift(code)
      this.#keep(bytes, from, to)
    }
  }

  #judge(sequence: Sequence): Verdict {
    if (!this.#answers && isQuery(sequence) && sequence.kind !== 'apc') return false
    switch (sequence.kind) {
      case 'csi':
        return allowsCsi(sequence)
      case 'esc':
        return allowsEscape(sequence)
      case 'osc':
        return judgeOsc(sequence)
      case 'dcs':
        return allowsDcs(sequence)
      case 'title':
        return judgeTitle(sequence)
      case 'apc':
        return this.#graphics(sequence, '\x1b\\')
      default:
        return false
    }
  }

  #settle(sequence: Sequence, verdict: Verdict): void {
    const { bytes, from, to } = sequence
    if (verdict) this.#witness?.sequence(sequence)
    if (verdict === true) this.#keep(bytes, from, to)
    else if (verdict) this.#put(verdict)
  }

  /** A graphics command: whole, or up to where its data begins. */
  #graphics(sequence: Sequence, end: string): Verdict {
    const { text } = sequence
    if (sequence.malformed || !allowsGraphics(text)) return false
    if (this.#answers || !isQuery(sequence)) return true
    if (/[G,]a=q/.test(text)) return false
    return Buffer.from(`\x1b_${silencedGraphics(text)}${end}`)
  }

  /** Images are written as they come, for they are large. */
  #stream(header: Sequence): boolean {
    if (isSixel(header)) {
      this.#settle(header, true)
      this.#image = SIXEL_BYTES
      return true
    }
    const verdict = header.kind === 'apc' && this.#graphics(header, '')
    if (verdict === false) return false
    this.#settle(header, verdict)
    this.#image = GRAPHICS_BYTES
    return true
  }

  #data(bytes: Uint8Array, start: number, end: number): void {
    const allowed = this.#image
    for (let at = start; allowed && at < end; at++) {
      const from = at
      while (at < end && allowed[bytes[at] ?? 0] === 1) at++
      if (from < at) this.#keep(bytes, from, at)
    }
  }

  #end(): void {
    if (this.#image) this.#put(ST)
    this.#image = undefined
  }
}
