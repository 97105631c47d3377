/**
 * Frames: `length(4, big endian) type(1) payload`; length counts type and payload. Every type except JSON begins its
 * payload with a channel (2 bytes, big endian): one connection carries many terminals, each on a channel of its own.
 * JSON frames keep the oldest layout, so that all releases can greet each other. The codec is pure and serves every
 * transport.
 */

export const FRAME_JSON = 1
/** Terminal output: 8 bytes of absolute stream offset (big endian), then the bytes. */
export const FRAME_OUTPUT = 2
/** Terminal input, as typed. */
export const FRAME_INPUT = 3

/** Has the layout of output, but the bytes redraw the whole screen and replace everything before. */
export const FRAME_SCREEN = 4
/** How many bytes of this connection's input the program's terminal has taken: 8 bytes (big endian). */
export const FRAME_TAKEN = 5
/** Has the layout of a screen, but the bytes draw only the differences from the screen before. */
export const FRAME_PICTURE = 6

/**
 * Input that the client has written to the program's terminal itself: 8 bytes (big endian) of the output offset that it
 * has read by now, 8 bytes of the offset that it had read when it typed last, then the typed bytes.
 */
export const FRAME_TYPED = 7

/**
 * How many bytes of frames of output, screens and pictures a browser has shown on this channel: 8 bytes (big endian), whole
 * frames counted since the channel was opened. Between a browser and the daemon lie queues that neither sees, so the
 * daemon waits for these receipts.
 */
export const FRAME_SHOWN = 8

export type FrameType = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

const isFrameType = (type: number | undefined): type is FrameType =>
  type !== undefined && type >= FRAME_JSON && type <= FRAME_SHOWN

export const MAX_CONTROL = 1 << 20 // bytes of one control message
const MAX_FRAME = MAX_CONTROL + 64
const HEADER = 5
const CHANNEL = 2 // bytes of the channel
export const MAX_CHANNEL = 0xffff

export interface Frame {
  readonly type: FrameType
  readonly payload: Uint8Array
}

/**
 * The channel of a frame. Undefined means the layout of protocol 3, without channels: clients of that release may still
 * be attached when a newer daemon takes over.
 */
export type Channel = number | undefined

// Code that every command runs avoids Buffer and DataView: the first object of each kind costs time and memory.

/** Writes the length, 32 bits big endian. */
function setLength(frame: Uint8Array, length: number): void {
  for (let at = 0, left = length; at < 4; at++, left <<= 8) frame[at] = left >>> 24
}

const lengthOf = ([a = 0, b = 0, c = 0, d = 0]: Uint8Array): number =>
  ((a << 24) | (b << 16) | (c << 8) | d) >>> 0

/** Returns a frame with room for a payload at `HEADER`. */
function emptyFrame(type: FrameType, size: number): Uint8Array {
  const frame = new Uint8Array(HEADER + size)
  setLength(frame, 1 + size)
  frame[4] = type
  return frame
}

/** Returns a frame of a channel with room for `size` bytes at its end. */
function channelFrame(type: FrameType, channel: Channel, size: number): Uint8Array {
  if (channel === undefined) return emptyFrame(type, size)
  const frame = emptyFrame(type, CHANNEL + size)
  frame[HEADER] = channel >>> 8
  frame[HEADER + 1] = channel
  return frame
}

/**
 * Splits the payload of a frame that is not JSON into channel and rest. Throws RangeError for a frame without a
 * channel.
 */
export function takeChannel(payload: Uint8Array): { readonly channel: number; readonly rest: Uint8Array } {
  if (payload.length < CHANNEL) throw new RangeError('a frame without a channel')
  const [high = 0, low = 0] = payload
  return { channel: (high << 8) | low, rest: payload.subarray(CHANNEL) }
}

export function encodeInput(channel: Channel, bytes: Uint8Array): Uint8Array {
  const frame = channelFrame(FRAME_INPUT, channel, bytes.length)
  frame.set(bytes, frame.length - bytes.length)
  return frame
}

/** Encodes a JSON control message. Throws RangeError when it is too large. */
export function encodeJson(message: unknown): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(message))
  if (payload.length > MAX_CONTROL) throw new RangeError(`a message of ${payload.length} bytes is too large`)
  const frame = emptyFrame(FRAME_JSON, payload.length)
  frame.set(payload, HEADER)
  return frame
}

function encodeWithOffset(type: FrameType, channel: Channel, offset: number, bytes: Uint8Array): Uint8Array {
  const frame = channelFrame(type, channel, 8 + bytes.length)
  new DataView(frame.buffer).setBigUint64(frame.length - bytes.length - 8, BigInt(offset))
  frame.set(bytes, frame.length - bytes.length)
  return frame
}

export const encodeOutput = (channel: Channel, offset: number, bytes: Uint8Array): Uint8Array =>
  encodeWithOffset(FRAME_OUTPUT, channel, offset, bytes)

/** Returns the head of a frame of `size` bytes of output, so that both can be sent without a copy. */
export function outputHead(channel: Channel, offset: number, size: number): Uint8Array {
  const head = encodeOutput(channel, offset, new Uint8Array(0))
  setLength(head, head.length - 4 + size)
  return head
}

export const encodeScreen = (channel: Channel, offset: number, bytes: Uint8Array): Uint8Array =>
  encodeWithOffset(FRAME_SCREEN, channel, offset, bytes)

export const encodePicture = (channel: Channel, offset: number, bytes: Uint8Array): Uint8Array =>
  encodeWithOffset(FRAME_PICTURE, channel, offset, bytes)

/** See `FRAME_TYPED`. */
export interface TypedDirectly {
  readonly read: number
  readonly typedAt: number
  readonly bytes: Uint8Array
}

export function encodeTyped(channel: Channel, { read, typedAt, bytes }: TypedDirectly): Uint8Array {
  const payload = new Uint8Array(8 + bytes.length)
  new DataView(payload.buffer).setBigUint64(0, BigInt(typedAt))
  payload.set(bytes, 8)
  return encodeWithOffset(FRAME_TYPED, channel, read, payload)
}

/** Decodes the payload of a FRAME_TYPED. Throws RangeError for a malformed one. */
export function decodeTyped(payload: Uint8Array): TypedDirectly {
  const { offset: read, bytes: rest } = decodeOutput(payload)
  const { offset: typedAt, bytes } = decodeOutput(rest)
  return { read, typedAt, bytes }
}

export const encodeTaken = (channel: Channel, count: number): Uint8Array =>
  encodeWithOffset(FRAME_TAKEN, channel, count, new Uint8Array(0))

export const encodeShown = (channel: Channel, count: number): Uint8Array =>
  encodeWithOffset(FRAME_SHOWN, channel, count, new Uint8Array(0))

/** Decodes a payload that begins with an offset, or is only a count (FRAME_TAKEN, FRAME_SHOWN). Throws RangeError. */
export function decodeOutput(payload: Uint8Array): { readonly offset: number; readonly bytes: Uint8Array } {
  if (payload.length < 8) throw new RangeError('an output frame without an offset')
  const offset = Number(new DataView(payload.buffer, payload.byteOffset).getBigUint64(0))
  if (!Number.isSafeInteger(offset)) throw new RangeError('an offset out of range')
  return { offset, bytes: payload.subarray(8) }
}

/** Splits a byte stream into frames; holds at most one incomplete frame. */
export class FrameDecoder {
  #held: Uint8Array[] = []
  #size = 0

  /**
   * Returns the frames that are complete now. They may be views of `bytes`, and are valid only as long as that. Throws
   * RangeError for a malformed stream.
   */
  push(bytes: Uint8Array): Frame[] {
    if (bytes.length) {
      this.#held.push(bytes)
      this.#size += bytes.length
    }
    const frames = this.#frames()
    // The rest of `bytes` is the caller's memory, so it is copied.
    const last = this.#held.pop()
    if (last) this.#held.push(new Uint8Array(last))
    return frames
  }

  #frames(): Frame[] {
    const frames: Frame[] = []
    while (this.#size >= HEADER) {
      const head = this.#peek(HEADER)
      const length = lengthOf(head)
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

  /** Returns the first `size` bytes in one piece; joins pieces only when a frame was split. */
  #peek(size: number): Uint8Array {
    const [first, ...more] = this.#held
    if (first && (!more.length || first.length >= size)) return first
    const all = new Uint8Array(this.#size)
    let at = 0
    for (const piece of this.#held) {
      all.set(piece, at)
      at += piece.length
    }
    this.#held = [all]
    return all
  }

  #drop(size: number): void {
    const [first] = this.#held
    if (!first || first.length === size) this.#held.shift()
    else this.#held[0] = first.subarray(size)
    this.#size -= size
  }
}
