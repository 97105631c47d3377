import { expect, test } from 'bun:test'
import { age, printable, shortened, table } from './output.ts'

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

test('columns are aligned by what characters take on the screen', () => {
  const rows = [
    ['日本', 'x'],
    ['e\u0301', 'y'],
    ['a\nb', 'z'],
  ]
  expect(table(['A', 'B'], rows)).toBe('A     B\n日本  x\ne\u0301     y\na\ufffdb   z\n')
})

test('a text that is too long is cut between characters', () => {
  expect(shortened('abc', 3)).toBe('abc')
  expect(shortened('abcd', 3)).toBe('ab…')
  expect(shortened('日本語', 4)).toBe('日…')
  expect(shortened('👍👍👍', 5)).toBe('👍👍…')
})

test('ages are short', () => {
  expect([0, 59_000, 60_000, 7_200_000, 172_800_000].map((ms) => age(0, ms))).toEqual([
    '0s',
    '59s',
    '1m',
    '2h',
    '2d',
  ])
})
