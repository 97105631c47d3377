import { expect, test } from 'bun:test'
import { bytesOf, textOf } from './text-bytes.ts'

test('text is its UTF-8', () => {
  for (const text of ['', 'abc', 'ä€', '🐚', '\ufffd']) {
    expect(bytesOf(text)).toEqual(Buffer.from(text))
    expect(textOf(Buffer.from(text))).toBe(text)
  }
})

test('every byte comes back, also through JSON', () => {
  let state = 7
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
  for (let round = 0; round < 2_000; round++) {
    const noise = Buffer.from(Array.from({ length: random(12) }, () => random(256)))
    const bytes = Buffer.concat([noise, Buffer.from('aé€🐚').subarray(0, random(11)), noise])
    const text = textOf(bytes)
    expect(bytesOf(JSON.parse(JSON.stringify(text)) as string)).toEqual(bytes)
    expect(text.isWellFormed()).toBe(Buffer.from(bytes.toString()).equals(bytes))
  }
})

test('what is UTF-8 around a foreign byte is read as such', () => {
  expect(textOf(Buffer.from([0x61, 0xe9, 0xc3, 0xa4]))).toBe('a\udce9ä')
  expect(textOf(Buffer.from([0xed, 0xa0, 0x80]))).toBe('\udced\udca0\udc80') // half a surrogate pair as UTF-8
})
