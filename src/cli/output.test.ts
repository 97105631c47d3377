import { expect, test } from 'bun:test'
import { age, bytes, printable, table } from './output.ts'

test('control characters of hostile names do not reach the terminal', () => {
  expect(printable('a\x1b]0;x\x07b\u202ec\u009b')).toBe('a\ufffd]0;x\ufffdb\ufffdc\ufffd')
})

test('columns are aligned', () => {
  expect(
    table(
      ['A', 'BB'],
      [
        ['long', 'x'],
        ['s', 'y'],
      ],
    ),
  ).toBe('A     BB\nlong  x\ns     y\n')
})

test('ages and sizes are short', () => {
  expect([0, 59_000, 60_000, 7_200_000, 172_800_000].map((ms) => age(0, ms))).toEqual([
    '0s',
    '59s',
    '1m',
    '2h',
    '2d',
  ])
  expect([5, 2048, 1_500_000, 300 * 1024 ** 2].map(bytes)).toEqual(['5B', '2.0K', '1.4M', '300M'])
})
