import { describe, expect, test } from 'bun:test'
import {
  decodeOutput,
  decodeTyped,
  encodeInput,
  encodeJson,
  encodeOutput,
  encodeTyped,
  FRAME_INPUT,
  FRAME_JSON,
  FRAME_OUTPUT,
  FRAME_TYPED,
  FrameDecoder,
  MAX_CONTROL,
  takeChannel,
} from './frames.ts'

const STREAM = Buffer.concat([
  encodeJson({ type: 'hello' }),
  encodeInput(0, Buffer.from('typed')),
  encodeInput(0x1234, new Uint8Array()),
  encodeOutput(7, 2 ** 40, Buffer.from('shown')),
])

const shapes = (decoder: FrameDecoder, ...parts: Uint8Array[]): string[] =>
  parts
    .flatMap((part) => decoder.push(part))
    .map(({ type, payload }) => {
      const { channel, rest } = type === FRAME_JSON ? { channel: 0, rest: payload } : takeChannel(payload)
      return `${type} ${channel} ${Buffer.from(rest).toString('latin1')}`
    })

describe('frames', () => {
  const whole = shapes(new FrameDecoder(), STREAM)

  test('come out as they went in', () => {
    expect(whole).toEqual([
      `${FRAME_JSON} 0 {"type":"hello"}`,
      `${FRAME_INPUT} 0 typed`,
      `${FRAME_INPUT} ${0x1234} `,
      `${FRAME_OUTPUT} 7 \0\0\x01\0\0\0\0\0shown`,
    ])
    expect(decodeOutput(encodeOutput(7, 2 ** 40, Buffer.from('shown')).subarray(7))).toEqual({
      offset: 2 ** 40,
      bytes: Buffer.from('shown'),
    })
  })

  test('of what was typed directly say where in the output that was', () => {
    const typed = { read: 2 ** 40, typedAt: 2 ** 33 + 1, bytes: new Uint8Array([1, 0, 255]) }
    const [frame] = new FrameDecoder().push(encodeTyped(3, typed))
    expect(frame?.type).toBe(FRAME_TYPED)
    expect(takeChannel(frame?.payload ?? new Uint8Array(0))).toMatchObject({ channel: 3 })
    expect(decodeTyped(takeChannel(frame?.payload ?? new Uint8Array(0)).rest)).toEqual(typed)
    for (const size of [0, 8, 15]) expect(() => decodeTyped(new Uint8Array(size))).toThrow(RangeError)
    expect(() => decodeTyped(new Uint8Array(16).fill(255))).toThrow(RangeError)
  })

  test('may be split at every byte', () => {
    for (let at = 0; at <= STREAM.length; at++)
      expect(shapes(new FrameDecoder(), STREAM.subarray(0, at), STREAM.subarray(at))).toEqual(whole)
    expect(shapes(new FrameDecoder(), ...[...STREAM].map((byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  test('of no length, of too much, or of an unknown type end the stream', () => {
    for (const head of [
      [0, 0, 0, 0, 1],
      [0xff, 0xff, 0xff, 0xff, 1],
      [0, 0, 0, 2, 9],
    ])
      expect(() => new FrameDecoder().push(Uint8Array.from(head))).toThrow(RangeError)
  })

  test('of random bytes raise nothing but RangeError', () => {
    let seed = 7
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff
      return seed / 0x8000_0000
    }
    for (let round = 0; round < 2_000; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 64) }, () => Math.floor(random() * 4))
      try {
        new FrameDecoder().push(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
  })

  test('a control message over the limit is not sent', () => {
    expect(() => encodeJson('x'.repeat(MAX_CONTROL))).toThrow(RangeError)
  })

  test('of protocol 3 have no channel', () => {
    const [frame] = new FrameDecoder().push(encodeOutput(undefined, 5, Buffer.from('shown')))
    expect(decodeOutput(frame?.payload ?? new Uint8Array(0))).toEqual({
      offset: 5,
      bytes: Buffer.from('shown'),
    })
  })

  test('without a whole channel are refused', () => {
    expect(() => takeChannel(new Uint8Array(1))).toThrow(RangeError)
  })

  test('output without a whole offset is refused', () => {
    expect(() => decodeOutput(Buffer.alloc(7))).toThrow(RangeError)
    expect(() => decodeOutput(Buffer.alloc(8, 0xff))).toThrow(RangeError)
  })
})
