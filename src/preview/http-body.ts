/** Bodies of HTTP/1.1 messages (RFC 9112, section 7): taking them out of a connection's bytes. */
import { BadMessage, type Framing } from './http-head.ts'

const MAX_LINE = 4096 // bytes of the line before a chunk, or of a trailer, which is dropped
const MAX_TRAILERS = 100
const LF = 10

/** Takes a body apart. `body` gets its pieces, which are parts of what was pushed. */
export class BodyReader {
  readonly #body: (piece: Uint8Array) => void
  #left: number
  #state: 'data' | 'size' | 'after' | 'trailers' | 'end' | 'done'
  readonly #isChunked: boolean
  #line = ''
  #trailers = 0

  constructor(framing: Framing, body: (piece: Uint8Array) => void) {
    this.#body = body
    this.#isChunked = framing.by === 'chunks'
    this.#left = framing.by === 'length' ? framing.bytes : 0
    if (framing.by === 'end') this.#state = 'end'
    else if (this.#isChunked) this.#state = 'size'
    else this.#state = this.#left ? 'data' : 'done'
  }

  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Whether the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#state === 'end'
  }

  /** Takes bytes; returns how many belong to the body. Throws {@link BadMessage}. */
  push(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'end') {
        this.#body(at ? bytes.subarray(at) : bytes)
        return bytes.length
      }
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, Math.min(bytes.length, at + this.#left))
        at += piece.length
        this.#left -= piece.length
        this.#body(piece)
        if (this.#left === 0) this.#state = this.#isChunked ? 'after' : 'done'
      } else {
        const end = bytes.indexOf(LF, at)
        const upTo = end < 0 ? bytes.length : end + 1
        if (this.#line.length + upTo - at > MAX_LINE) throw new BadMessage('it sends a malformed body')
        this.#line += Buffer.from(bytes.buffer, bytes.byteOffset + at, upTo - at).toString('latin1')
        at = upTo
        if (end >= 0) this.#endLine()
      }
    }
    return at
  }

  #endLine(): void {
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n')) throw new BadMessage('it sends a malformed body')
    const text = line.slice(0, -2)
    if (this.#state === 'after') {
      if (text) throw new BadMessage('it sends a malformed body')
      this.#state = 'size'
    } else if (this.#state === 'size') {
      const [, digits] = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;.*)?$/.exec(text) ?? []
      if (digits === undefined) throw new BadMessage('it sends a malformed body')
      this.#left = Number.parseInt(digits, 16)
      this.#state = this.#left ? 'data' : 'trailers'
    } else if (text === '') this.#state = 'done'
    else if (++this.#trailers > MAX_TRAILERS) throw new BadMessage('it sends too many trailers')
  }
}

const CRLF = Buffer.from('\r\n')

/** A piece of a body as one chunk. */
export function chunk(piece: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, CRLF])
}

export const LAST_CHUNK: Uint8Array = Buffer.from('0\r\n\r\n')
