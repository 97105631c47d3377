/** The end of a stream that stops inside an escape sequence or a character. */
import { type Core, GROUND } from './internals.ts'

const ESC = 0x1b
const BEL = 0x07
/** A longer string is not repeated: it is a picture or a clipboard, and its end is swallowed instead. */
const LONGEST = 1 << 20

/** The bytes that bring a terminal to where the parser is, given all bytes since the last time nothing was open. */
export class Pending {
  readonly #core: Core
  #bytes: Uint8Array = new Uint8Array()
  #swallowing = false

  constructor(core: Core) {
    this.#core = core
  }

  /** To be called after each piece that was parsed. */
  after(piece: Uint8Array): void {
    const { _parser, _utf8Decoder } = this.#core._inputHandler
    if (_parser.currentState === GROUND) {
      const { interim } = _utf8Decoder
      const length = interim.indexOf(0)
      this.#bytes = interim.slice(0, length < 0 ? interim.length : length)
      this.#swallowing = false
      return
    }
    const start = lastIntroducer(piece)
    if (start >= 0) {
      this.#bytes = piece.slice(start)
      this.#swallowing = false
    } else if (!this.#swallowing) {
      const bytes = concatenate(this.#bytes, piece)
      // The two bytes of an eight-bit introducer may have been cut apart.
      this.#bytes = bytes.subarray(Math.max(0, lastIntroducer(bytes)))
    }
    if (this.#bytes.length <= LONGEST) return
    this.#bytes = swallow(this.#bytes)
    this.#swallowing = true
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
  for (let i = bytes.lastIndexOf(0xc2); i > plain; i = bytes.lastIndexOf(0xc2, i - 1)) {
    if ([0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f].includes(bytes[i + 1] ?? 0)) return i
    if (i === 0) break
  }
  return plain
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
