/** The end of a stream that stops inside an escape sequence or a character. */
import { ByteBuffer } from '../vt/byte-buffer.ts'
import { type Core, GROUND } from './internals.ts'
import { MAX_PENDING } from './limits.ts'

const ESC = 0x1b
const BEL = 0x07
const C1_LEAD = 0xc2
/** The second byte of the UTF-8 of an eight-bit DCS, SOS, CSI, OSC, PM or APC. */
const EIGHT_BIT = new Set([0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f])

/** The bytes that bring a terminal to where the parser is, given all bytes since the last time nothing was open. */
export class Pending {
  readonly #core: Core
  /** What was begun. A string that is too long is not repeated: it is a picture or a clipboard. */
  readonly #open = new ByteBuffer(0)
  #swallowing = false

  constructor(core: Core) {
    this.#core = core
  }

  get #bytes(): Uint8Array {
    return this.#open.bytes.subarray(0, this.#open.length)
  }

  /** To be called after each piece that was parsed. */
  after(piece: Uint8Array): void {
    const { _parser, _utf8Decoder } = this.#core._inputHandler
    if (_parser.currentState === GROUND) {
      const { interim } = _utf8Decoder
      if (interim[0] === 0 && this.#open.length === 0) return
      const length = interim.indexOf(0)
      this.#begin(interim.subarray(0, length < 0 ? interim.length : length))
      return
    }
    // The two bytes of an eight-bit introducer may have been cut apart.
    const cut = this.#bytes.at(-1) === C1_LEAD && EIGHT_BIT.has(piece[0] ?? 0)
    const start = lastIntroducer(piece)
    if (start >= 0) this.#begin(piece.subarray(start))
    else if (cut) this.#begin(Uint8Array.of(C1_LEAD), piece)
    else if (!this.#swallowing) this.#open.append(piece)
    if (this.#open.length <= MAX_PENDING) return
    this.#begin(swallow(this.#bytes))
    this.#swallowing = true
  }

  #begin(...parts: readonly Uint8Array[]): void {
    this.#open.clear()
    this.#swallowing = false
    for (const part of parts) if (part.length > 0) this.#open.append(part)
  }

  bytes(): Uint8Array {
    const [first, second] = this.#bytes
    const inString = first === ESC && second !== undefined && 'P]X^_'.includes(String.fromCharCode(second))
    // Controls inside a sequence were already obeyed; a bell inside a string has no meaning.
    const keep = (byte: number, index: number) =>
      index === 0 || byte >= 0x20 || ((inString || first !== ESC) && byte !== BEL)
    return this.#bytes.filter(keep)
  }
}

/** A string of the same kind that means nothing to anybody, for the rest of one that is too long. */
function swallow(bytes: Uint8Array): Uint8Array {
  const [first, second] = bytes
  const isCommand = first === ESC ? second === 0x5d : second === 0x9d
  return new TextEncoder().encode(isCommand ? '\x1b]9999;' : '\x1b_')
}

/** Where the last sequence begins: at an ESC or at the UTF-8 of an eight-bit CSI, OSC, DCS, SOS, PM or APC. */
function lastIntroducer(bytes: Uint8Array): number {
  const plain = bytes.lastIndexOf(ESC)
  for (let i = bytes.lastIndexOf(C1_LEAD); i > plain; i = bytes.lastIndexOf(C1_LEAD, i - 1)) {
    if (EIGHT_BIT.has(bytes[i + 1] ?? 0)) return i
    if (i === 0) break
  }
  return plain
}
