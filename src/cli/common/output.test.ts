import { expect, test } from 'bun:test'
import { age, details, filled, fittedWidths, printable, shortened, table, wrapped } from './output.ts'

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

test('the first column stays whole while others can shrink', () => {
  expect([...fittedWidths(['NAME', 'WORKSPACE'], [30, 30], [], 50)]).toEqual([
    [0, 30],
    [1, 18],
  ])
})

test('a text goes on in the next line, behind a sign where it can', () => {
  expect(wrapped('short', 8)).toEqual(['short'])
  expect(wrapped('', 8)).toEqual([''])
  expect(wrapped('/home/me/src/app', 10)).toEqual(['/home/me/', 'src/app'])
  expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrapped('a=1, b=2, c=3', 9)).toEqual(['a=1, b=2,', 'c=3'])
  expect(wrapped('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
  expect(wrapped('日本語日本語', 5)).toEqual(['日本', '語日', '本語'])
  expect(wrapped('日本', 1)).toEqual(['日', '本']) // no room for it at all
})

test('sentences break at spaces only, so that commands and paths can be copied', () => {
  expect(filled('one two three', 7)).toEqual(['one two', 'three'])
  expect(filled('see docs/a/long/path.md now', 10)).toEqual(['see', 'docs/a/long/path.md', 'now'])
  expect(filled('- a note of three lines', 12, '  ', '    ')).toEqual([
    '  - a note',
    '    of three',
    '    lines',
  ])
  expect(filled('日本 語', 4)).toEqual(['日本', '語'])
  expect(filled('', 9, '  ')).toEqual(['  '])
})

test('without a terminal a table has 80 columns, and no text is lost', () => {
  const path = `/home/${'folder/'.repeat(20)}end`
  const name = 'n'.repeat(64)
  const rows = [
    [name, path, 'x'],
    ['b', 'short', 'y'],
  ]
  for (const spare of [[], [2]]) {
    const lines = table(['NAME', 'WORKSPACE', 'LAST'], rows, undefined, spare).trimEnd().split('\n')
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines[0]).toMatch(/^NAME +WORKSPACE +LAST$/)
    expect(lines.at(-1)).toMatch(/^b +short +y$/)
    const at = lines[0]?.indexOf('WORKSPACE') ?? 0
    const last = lines[0]?.indexOf('LAST') ?? 0
    const column = (from: number, to: number) =>
      lines
        .slice(1, -1)
        .map((line) => line.slice(from, to).trim())
        .join('')
    expect(column(0, at)).toBe(name)
    expect(column(at, last)).toBe(path)
  }
})

test('a long value goes on below itself', () => {
  const text = details([
    ['image', 'host'],
    ['limits', 'word '.repeat(20)],
  ])
  expect(text.split('\n').every((line) => line.length <= 80)).toBe(true)
  expect(text).toMatch(/^image {5}host\nlimits {4}word .*\n {10}word/)
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
