import { expect, test } from 'bun:test'
import { age, fittedWidths, printable, shortened, table } from './output.ts'

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

test('invisible characters do not reach the terminal, but those that join letters do', () => {
  expect(printable('a\u{e0041}b\u200bc\ufeffd\u2066e')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde')
  expect(printable('👨\u200d👩 \u0915\u094d\u200c\u0937')).toBe('👨\u200d👩 \u0915\u094d\u200c\u0937')
})

test('columns are cut, widest first, and left out when that is not enough', () => {
  const head = ['NAME', 'WORKSPACE', 'MEMORY']
  const fit = (room: number) => [...fittedWidths(head, [12, 30, 6], [2], room)]
  const all: [number, number][] = [
    [0, 12],
    [1, 30],
    [2, 6],
  ]
  expect(fit(Number.POSITIVE_INFINITY)).toEqual(all)
  expect(fit(52)).toEqual(all)
  expect(fit(40)).toEqual([
    [0, 12],
    [1, 18],
    [2, 6],
  ])
  expect(fit(36)).toEqual([
    [0, 12],
    [1, 22],
  ])
  expect(fit(26)).toEqual([
    [0, 12],
    [1, 12],
  ])
  expect(fit(3)).toEqual([
    [0, 8],
    [1, 9],
  ])
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
