/** The end of a stream that stops inside an escape sequence. */
import { ByteBuffer } from '../vt/byte-buffer.ts'
import { type Core, GROUND } from './internals.ts'
import { MAX_PENDING } from './limits.ts'

const ESC = 0x1b
const BEL = 0x07
const C1_LEAD = 0xc2
/** The second UTF-8 byte of an eight-bit DCS, SOS, CSI, OSC, PM or APC. */
const EIGHT_BIT = new Set([0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f])

/** The bytes that bring a terminal to the parser's state, from all bytes since no sequence was open. */
export class Pending {
  readonly #core: Core
  /** The unfinished sequence. A string that is too long is not repeated: it is a picture or a clipboard. */
  readonly #open = new ByteBuffer(0)
  #swallowing = false

  constructor(core: Core) {
    this.#core = core
  }

  get #bytes(): Uint8Array {
    return this.#open.bytes.subarray(0, this.#open.length)
  }

  /** Call this after each parsed piece, which must end with a complete character. */
  after(piece: Uint8Array): void {
    if (this.#core._inputHandler._parser.currentState === GROUND) {
      if (this.#open.length > 0) this.#begin()
      return
    }
    const start = lastIntroducer(piece)
    if (start >= 0) this.#begin(piece.subarray(start))
    else if (!this.#swallowing) this.#open.append(piece)
    if (this.#open.length <= MAX_PENDING) return
    this.#begin(swallow(this.#bytes))
    this.#swallowing = true
  }

  #begin(bytes?: Uint8Array): void {
    this.#open.clear()
    this.#swallowing = false
    if (bytes) this.#open.append(bytes)
  }

  bytes(): Uint8Array {
    const [first, second] = this.#bytes
    const inString = first === ESC && second !== undefined && 'P]X^_'.includes(String.fromCharCode(second))
    // Controls inside a sequence were already obeyed; a bell inside a string means nothing.
    const keep = (byte: number, index: number) =>
      index === 0 || byte >= 0x20 || ((inString || first !== ESC) && byte !== BEL)
    return this.#bytes.filter(keep)
  }
}

/** A string of the same kind without meaning, which swallows the rest of one that is too long. */
function swallow(bytes: Uint8Array): Uint8Array {
  const [first, second] = bytes
  const isCommand = first === ESC ? second === 0x5d : second === 0x9d
  return new TextEncoder().encode(isCommand ? '\x1b]9999;' : '\x1b_')
}

/** The start of the last sequence: an ESC, or the UTF-8 of an eight-bit CSI, OSC, DCS, SOS, PM or APC. */
function lastIntroducer(bytes: Uint8Array): number {
  const plain = bytes.lastIndexOf(ESC)
  for (let i = bytes.lastIndexOf(C1_LEAD); i > plain; i = bytes.lastIndexOf(C1_LEAD, i - 1)) {
    if (EIGHT_BIT.has(bytes[i + 1] ?? 0)) return i
    if (i === 0) break
  }
  return plain
}
