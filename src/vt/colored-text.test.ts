import { expect, test } from 'bun:test'
import { coloredEnd } from './colored-text.ts'

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
