import { expect, test } from 'bun:test'
import { coloredEnd, pushBeyondColors } from './colored-text.ts'
import { Tokenizer } from './tokenizer.ts'

test.each([
  ['', 0],
  ['text', 4],
  ['a\x1b[31mb\x1b[m\x1b[4:3;38:2::1:2:3mc', 29],
  ['ab\x1b[31', 2],
  ['ab\x1b', 2],
  ['ab\x1b[', 2],
  ['\x1b[m\x1b[c', 3],
  ['\x1b[m\x1b[?25h', 3],
  ['\x1b[1mx\x1b]0;t\x07', 5],
  ['\x1b[>4;1m', 0],
  ['\x1b[1\x1b[m', 0],
])('%j has its first other sequence at %d', (text, end) => {
  expect(coloredEnd(Buffer.from(text, 'latin1'))).toBe(end)
})

/** The sequences that are no SGR, with their ends, of output that arrives in these pieces. */
function found(pieces: readonly Uint8Array[], isWhole: boolean): string[] {
  const sequences: string[] = []
  let shift = 0
  const tokenizer = new Tokenizer({
    text: () => {},
    control: () => {},
    sequence: ({ raw, end }) => {
      const text = Buffer.from(raw).toString('latin1')
      if (!/^\x1b\[[0-9:;]*m$/.test(text)) sequences.push(`${end + shift} ${text}`)
    },
  })
  let offset = 0
  for (const piece of pieces) {
    if (isWhole) tokenizer.push(piece)
    else
      pushBeyondColors(tokenizer, piece, (at) => {
        shift = offset + at - tokenizer.offset
      })
    offset += piece.length
  }
  return sequences
}

test('finds every other sequence, wherever the output is cut', () => {
  const parts = [
    'plain ',
    '\x1b[31;1mred\x1b[m',
    'é世',
    '\x1b[c',
    '\x1b]11;?\x07',
    '\x1b]0;a title\x1b\\',
    '\x1b[?25h',
    '\x1bP+q544e\x1b\\',
  ]
  let random = 7
  const below = (limit: number): number => {
    random = (random * 1103515245 + 12345) % 2147483648
    return Math.floor((random / 2147483648) * limit) // its low bits repeat soon
  }
  for (let round = 0; round < 300; round++) {
    const stream = Buffer.from(Array.from({ length: 40 }, () => parts[below(parts.length)]).join(''))
    const pieces: Uint8Array[] = []
    for (let at = 0; at < stream.length; ) {
      const size = 1 + below(round % 2 ? 5 : 60)
      pieces.push(stream.subarray(at, at + size))
      at += size
    }
    const sequences = found(pieces, false)
    expect(sequences).toEqual(found([stream], true))
    expect(sequences.length).toBeGreaterThan(5)
  }
})

test('tokenizes little of coloured output, even when a sequence is cut', () => {
  const line = Buffer.from(`\x1b[38;2;1;2;3m${'colour '.repeat(20)}\x1b[m\r\n`.repeat(400))
  let pushed = 0
  const tokenizer = new Tokenizer({ text: () => {}, control: () => {}, sequence: () => {} })
  const counted = {
    get offset() {
      return tokenizer.offset
    },
    get boundary() {
      return tokenizer.boundary
    },
    push: (bytes: Uint8Array): void => {
      pushed += bytes.length
      tokenizer.push(bytes)
    },
  }
  for (const bytes of [line.subarray(0, -140), line.subarray(-140), line.subarray(0, 5), line.subarray(5)])
    pushBeyondColors(counted, bytes)
  expect(pushed).toBeLessThan(40)
})
