/**
 * Filters the output of a hostile program for the user's own terminal. It removes everything that acts on the host or
 * makes the terminal type text chosen by the program. Unknown sequences are removed. Pure but for its state.
 *
 * Modes, including bracketed paste, are left to the program: a program that turns it off only gets its own pastes bare,
 * and the client resets modes when it releases the terminal.
 */
import { allowsCsi, allowsEscape } from './csi-rules.ts'
import { judgeOsc, judgeTitle, type Verdict } from './osc-rules.ts'
import { plainForm } from './plain-forms.ts'
import { cleanStatus, isStatus } from './program-status.ts'
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
 * BEL, BS, HT, LF, VT, FF, CR, SO, SI. Excluded: ENQ (the terminal types its answerback), CAN (starts a ZMODEM transfer
 * in some terminals), XON and XOFF, and NUL and DEL, which do nothing.
 */
const HARMLESS = '\x07\b\t\n\v\f\r\x0e\x0f'
const REPLACEMENT = Buffer.from('\ufffd')
const ST = Buffer.from('\x1b\\')
const NOTHING = new Uint8Array(0)
/** The harmless controls that need no report to the witness. */
const WITHOUT_EFFECT = HARMLESS.replace(/[\x0e\x0f]/g, '')
const SHIFT_OUT = 0x0e
const SHIFT_IN = 0x0f

export interface Witness {
  sequence(sequence: Sequence): void
  /** Called for SO and SI. */
  shift(code: number): void
}

export interface FilterOptions {
  /** False also removes sequences that the terminal answers, for output that is shown again (`isQuery`). */
  readonly queries?: boolean
  /** Called for each sequence while queries pass. The terminal does not get it if this returns false. */
  readonly asked?: (sequence: Sequence) => boolean
  /** Returns what the terminal gets instead of a program's report of what it is doing (OSC 7501); absent: nothing. */
  readonly status?: (report: string) => string
  /** Called for each sequence that passes, before the terminal gets it (src/client/terminal/screen-modes.ts). */
  readonly witness?: Witness
}

export class OutputFilter {
  #tokenizer: Tokenizer
  #answers: boolean
  readonly #witness: Witness | undefined
  readonly #status: ((report: string) => string) | undefined
  readonly #asked: ((sequence: Sequence) => boolean) | undefined
  #chunk: Uint8Array = NOTHING
  /** The start of the part of the chunk that is kept but not yet a piece. */
  #from = 0
  #to = 0
  #pieces: Uint8Array[] = []
  /** The allowed bytes of the image under way. */
  #image: Uint8Array | undefined

  constructor(options: FilterOptions = {}) {
    this.#answers = options.queries !== false
    this.#witness = options.witness
    this.#asked = options.asked
    this.#status = options.status
    this.#tokenizer = this.#begin()
  }

  /** Bytes of an incomplete sequence or character. Bounded; text is never held. */
  get held(): number {
    return this.#tokenizer.held
  }

  /** Whether questions pass from now on (`FilterOptions.queries`), those included that have begun. */
  set queries(pass: boolean) {
    this.#answers = pass
  }

  /** The part of `bytes` for the terminal: the same array, or a view of it, if nothing in between is removed. */
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
   * Ends the stream, or its part before a gap. Returns the bytes after which the terminal waits for nothing. Held
   * bytes are dropped.
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
      sequence: (sequence) => {
        const isRefused = this.#answers && this.#asked?.(sequence) === false
        this.#settle(sequence, !isRefused && this.#judge(sequence))
      },
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

  /** A stray 8-bit control is shown as an invalid character, because terminals disagree about its effect. */
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
        return this.#csi(sequence)
      case 'esc':
        return allowsEscape(sequence)
      case 'osc':
        return isStatus(sequence.text) ? this.#reported(sequence) : judgeOsc(sequence)
      case 'dcs':
        return allowsDcs(sequence)
      case 'title':
        return judgeTitle(sequence)
      case 'apc':
        return this.#graphics(sequence, '\x1b\\', this.#answers)
      default:
        return false
    }
  }

  #csi(sequence: Sequence): Verdict {
    const plain = plainForm(sequence)
    if (plain === undefined) return allowsCsi(sequence)
    return plain !== '' && Buffer.from(plain)
  }

  #reported(sequence: Sequence): Verdict {
    const report = sequence.malformed ? undefined : cleanStatus(sequence.text)
    const bytes = report === undefined ? '' : (this.#status?.(report) ?? '')
    return bytes !== '' && Buffer.from(bytes)
  }

  #settle(sequence: Sequence, verdict: Verdict): void {
    const { bytes, from, to } = sequence
    if (verdict) this.#witness?.sequence(sequence)
    if (verdict === true) this.#keep(bytes, from, to)
    else if (verdict) this.#put(verdict)
  }

  /** A graphics command: complete, or up to the start of its data. */
  #graphics(sequence: Sequence, end: string, answers: boolean): Verdict {
    const { text } = sequence
    if (sequence.malformed || !allowsGraphics(text)) return false
    if (answers || !isQuery(sequence)) return true
    if (/[G,]a=q/.test(text)) return false
    return Buffer.from(`\x1b_${silencedGraphics(text)}${end}`)
  }

  /** Images are large, so they are written as they arrive. */
  #stream(header: Sequence): boolean {
    if (isSixel(header)) {
      this.#settle(header, true)
      this.#image = SIXEL_BYTES
      return true
    }
    if (header.kind !== 'apc') return false
    const answers = this.#answers && !(isQuery(header) && this.#asked?.(header) === false)
    const verdict = this.#graphics(header, '', answers)
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
