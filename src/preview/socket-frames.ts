/** WebSocket frames as a client sends and reads them (RFC 6455, section 5). What a box sends is bounded and checked. */

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

const MAX_MESSAGE = 32 << 20 // bytes
const MAX_CONTROL = 125
const FRAGMENT = 128 // bytes that one takes besides its own

/** One masked frame with the whole message. */
export function frame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const bytes = Buffer.allocUnsafe(6 + extra + length)
  bytes[0] = 0x80 | opcode
  bytes[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127)
  if (extra === 2) bytes.writeUInt16BE(length, 2)
  if (extra === 8) bytes.writeBigUInt64BE(BigInt(length), 2)
  const mask = crypto.getRandomValues(bytes.subarray(2 + extra, 6 + extra))
  const start = 6 + extra
  for (let i = 0; i < length; i++) bytes[start + i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0)
  return bytes
}

/** The payload of a close frame. */
export function closing(code: number, reason: string): Uint8Array {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(reason))
  bytes.writeUInt16BE(code, 0)
  bytes.write(reason, 2)
  return bytes.subarray(0, MAX_CONTROL)
}

export interface Message {
  readonly opcode: number
  readonly payload: Buffer
}

/** The server sent what is no WebSocket frame. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame'
}

/** Reads a server's frames; fragments of a message are put together. */
export class FrameReader {
  #pieces: Buffer[] = []
  #held = 0
  #fragments: Buffer[] = []
  #opcode = 0
  #size = 0

  /** Bytes that messages take which are not complete. */
  get held(): number {
    return this.#held + this.#size + FRAGMENT * this.#fragments.length
  }

  #join(): void {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  /** Yields whole messages and control frames. Throws {@link BadFrame}. */
  *push(bytes: Uint8Array): Generator<Message> {
    this.#pieces.push(Buffer.from(bytes))
    this.#held += bytes.length
    for (;;) {
      const whole = this.#take()
      if (!whole) return
      const message = this.#frame(whole.first, whole.payload)
      if (message) yield message
    }
  }

  /** Takes one whole frame out. Pieces are joined only when they suffice, so that a large one costs no copy for each. */
  #take(): { first: number; payload: Buffer } | undefined {
    if (this.#held < 2) return undefined
    if ((this.#pieces[0]?.length ?? 0) < Math.min(10, this.#held)) this.#join()
    const head = this.#pieces[0] as Buffer
    const [first = 0, second = 0] = head
    if (second & 0x80) throw new BadFrame('a server masks nothing')
    const short = second & 0x7f
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (this.#held < start) return undefined
    const long = short < 126 ? short : short === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2))
    if (long > MAX_MESSAGE || (first & 0x8 && long > MAX_CONTROL)) throw new BadFrame('a frame is too long')
    if (this.#held < start + long) return undefined
    this.#join()
    const all = this.#pieces[0] as Buffer
    this.#pieces = [all.subarray(start + long)]
    this.#held -= start + long
    return { first, payload: all.subarray(start, start + long) }
  }

  #frame(first: number, payload: Buffer): Message | undefined {
    const opcode = first & 0xf
    const isLast = (first & 0x80) !== 0
    if (first & 0x70) throw new BadFrame('no extension was agreed on')
    if (opcode >= CLOSE) {
      if (!isLast || opcode > PONG) throw new BadFrame('a control frame is malformed')
      return { opcode, payload }
    }
    if (opcode > BINARY || (opcode === 0) === (this.#opcode === 0))
      throw new BadFrame('a fragment is out of place')
    if (opcode) this.#opcode = opcode
    this.#fragments.push(payload)
    this.#size += payload.length
    if (this.#size > MAX_MESSAGE || this.#fragments.length > 100_000)
      throw new BadFrame('a message is too long')
    if (!isLast) return undefined
    const message = { opcode: this.#opcode, payload: Buffer.concat(this.#fragments) }
    this.#fragments = []
    this.#opcode = 0
    this.#size = 0
    return message
  }
}
