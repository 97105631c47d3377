/**
 * Frames: `length(4, big endian) type(1) payload`; length counts type and payload. The same codec serves the
 * unix socket, the web socket and the tunnel. Pure.
 */

export const FRAME_JSON = 1
/** Terminal output: 8 bytes of absolute stream offset (big endian), then the bytes. */
export const FRAME_OUTPUT = 2
/** Terminal input, as it was typed. */
export const FRAME_INPUT = 3

/** Like output, but what came before does not count any more: the bytes draw the whole screen anew. */
export const FRAME_SCREEN = 4
/** How many bytes of this connection's input the program's terminal has taken: 8 bytes (big endian). */
export const FRAME_TAKEN = 5
/** Like a screen, but on top of the one before it: the bytes change what is different now. */
export const FRAME_PICTURE = 6

/**
 * What the client has given to the program's terminal itself: 8 bytes (big endian) of the offset of the output that it
 * has read by now, 8 of what it had read when it typed last, then what was typed.
 */
export const FRAME_TYPED = 7

export type FrameType = 1 | 2 | 3 | 4 | 5 | 6 | 7

const isFrameType = (type: number | undefined): type is FrameType =>
  type !== undefined && type >= FRAME_JSON && type <= FRAME_TYPED

export const MAX_CONTROL = 1 << 20 // bytes of one control message
const MAX_FRAME = MAX_CONTROL + 64
const HEADER = 5

export interface Frame {
  readonly type: FrameType
  readonly payload: Buffer
}

export function encodeFrame(type: FrameType, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + payload.length)
  frame.writeUInt32BE(1 + payload.length, 0)
  frame[4] = type
  frame.set(payload, HEADER)
  return frame
}

/** A JSON control message. Throws RangeError when it is too large to be one. */
export function encodeJson(message: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(message))
  if (payload.length > MAX_CONTROL) throw new RangeError(`a message of ${payload.length} bytes is too large`)
  return encodeFrame(FRAME_JSON, payload)
}

function encodeWithOffset(type: FrameType, offset: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + 8 + bytes.length)
  frame.writeUInt32BE(9 + bytes.length, 0)
  frame[4] = type
  frame.writeBigUInt64BE(BigInt(offset), HEADER)
  frame.set(bytes, HEADER + 8)
  return frame
}

export const encodeOutput = (offset: number, bytes: Uint8Array): Buffer =>
  encodeWithOffset(FRAME_OUTPUT, offset, bytes)

/** What goes before `size` bytes of output, to send both without putting them together. */
export function outputHead(offset: number, size: number): Buffer {
  const head = encodeOutput(offset, new Uint8Array(0))
  head.writeUInt32BE(9 + size, 0)
  return head
}

export const encodeScreen = (offset: number, bytes: Uint8Array): Buffer =>
  encodeWithOffset(FRAME_SCREEN, offset, bytes)

export const encodePicture = (offset: number, bytes: Uint8Array): Buffer =>
  encodeWithOffset(FRAME_PICTURE, offset, bytes)

/** See `FRAME_TYPED`. */
export interface TypedDirectly {
  readonly read: number
  readonly typedAt: number
  readonly bytes: Uint8Array
}

export function encodeTyped({ read, typedAt, bytes }: TypedDirectly): Buffer {
  const payload = Buffer.allocUnsafe(8 + bytes.length)
  payload.writeBigUInt64BE(BigInt(typedAt), 0)
  payload.set(bytes, 8)
  return encodeWithOffset(FRAME_TYPED, read, payload)
}

/** Throws RangeError for what is none. */
export function decodeTyped(payload: Buffer): TypedDirectly {
  const { offset: read, bytes: rest } = decodeOutput(payload)
  const { offset: typedAt, bytes } = decodeOutput(rest)
  return { read, typedAt, bytes }
}

export const encodeTaken = (count: number): Buffer => encodeWithOffset(FRAME_TAKEN, count, new Uint8Array(0))

/** The payload of a frame that begins with an offset, or (without bytes) of a count of what was taken. */
export function decodeOutput(payload: Buffer): { readonly offset: number; readonly bytes: Buffer } {
  if (payload.length < 8) throw new RangeError('an output frame without an offset')
  const offset = Number(payload.readBigUInt64BE(0))
  if (!Number.isSafeInteger(offset)) throw new RangeError('an offset out of range')
  return { offset, bytes: payload.subarray(8) }
}

/** Splits a byte stream into frames; holds at most one incomplete frame. */
export class FrameDecoder {
  #held: Buffer[] = []
  #size = 0

  /**
   * The frames that are complete now; they may be parts of `bytes`, and are as good for as long. Throws RangeError
   * for a stream that is no frames.
   */
  push(bytes: Uint8Array): Frame[] {
    if (bytes.length) {
      this.#held.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      this.#size += bytes.length
    }
    const frames = this.#frames()
    // What is left of `bytes` is somebody else's memory.
    const last = this.#held.pop()
    if (last) this.#held.push(Buffer.from(last))
    return frames
  }

  #frames(): Frame[] {
    const frames: Frame[] = []
    while (this.#size >= HEADER) {
      const head = this.#peek(HEADER)
      const length = head.readUInt32BE(0)
      const type = head[4]
      if (length < 1 || length > MAX_FRAME) throw new RangeError(`a frame of ${length} bytes`)
      if (!isFrameType(type)) throw new RangeError(`a frame of unknown type ${type}`)
      if (this.#size < 4 + length) break
      const whole = this.#peek(4 + length)
      this.#drop(4 + length)
      frames.push({ type, payload: whole.subarray(HEADER, 4 + length) })
    }
    return frames
  }

  /** The first `size` bytes in one piece; joins only when a frame was split. */
  #peek(size: number): Buffer {
    const first = this.#held[0] ?? Buffer.alloc(0)
    if (first.length >= size) return first
    const all = Buffer.concat(this.#held)
    this.#held = [all]
    return all
  }

  #drop(size: number): void {
    const first = this.#held[0] ?? Buffer.alloc(0)
    if (first.length === size) this.#held.shift()
    else this.#held[0] = first.subarray(size)
    this.#size -= size
  }
}
