import { expect, test } from 'bun:test'
import { arrowKey, BACK_TAB, modified } from './keys.ts'

const CTRL = { ctrl: true, alt: false }
const ALT = { ctrl: false, alt: true }
const BOTH = { ctrl: true, alt: true }

test('plain arrows honour the mode of the cursor keys, those with a modifier have one form', () => {
  expect(arrowKey('up', false)).toBe('\x1b[A')
  expect(arrowKey('up', true)).toBe('\x1bOA')
  expect(arrowKey('left', true)).toBe('\x1bOD')
  expect(arrowKey('right', true, CTRL)).toBe('\x1b[1;5C')
  expect(arrowKey('down', false, ALT)).toBe('\x1b[1;3B')
  expect(arrowKey('down', false, BOTH)).toBe('\x1b[1;7B')
})

test.each([
  ['c', '\x03'],
  ['C', '\x03'],
  ['z', '\x1a'],
  ['[', '\x1b'],
  ['\\', '\x1c'],
  ['@', '\0'],
  [' ', '\0'],
  ['/', '\x1f'],
  ['_', '\x1f'],
  ['6', '\x1e'],
  ['8', '\x7f'],
  ['\x7f', '\b'],
  ['\r', '\r'],
  ['1', '1'],
  ['é', 'é'],
  ['\u{1f600}', '\u{1f600}'],
])('Ctrl and %j are %j', (typed, sent) => {
  expect(modified(typed, CTRL)).toBe(sent)
})

test('Alt puts an escape in front', () => {
  expect(modified('b', ALT)).toBe('\x1bb')
  expect(modified('\r', ALT)).toBe('\x1b\r')
  expect(modified('\x7f', ALT)).toBe('\x1b\x7f')
  expect(modified('c', BOTH)).toBe('\x1b\x03')
  expect(modified('\x1b', ALT)).toBe('\x1b\x1b')
  expect(modified(BACK_TAB, ALT)).toBe('\x1b\x1b[Z')
})

test("a keyboard's own sequences get their parameter", () => {
  expect(modified('\x1b[A', CTRL)).toBe('\x1b[1;5A')
  expect(modified('\x1bOD', CTRL)).toBe('\x1b[1;5D')
  expect(modified('\x1b[H', ALT)).toBe('\x1b[1;3H')
  expect(modified('\x1bOP', CTRL)).toBe('\x1b[1;5P')
  expect(modified('\x1b[5~', CTRL)).toBe('\x1b[5;5~')
})

test.each(['ls -l', 'rm', '\x1b[200~c\x1b[201~', '\x1b[<64;1;1M', '\x1b[M !!', '\x1b[I', ''])(
  '%j is no key, and leaves the modifiers alone',
  (typed) => {
    expect(modified(typed, CTRL)).toBeUndefined()
  },
)

test('without a modifier nothing changes', () => {
  expect(modified('c', { ctrl: false, alt: false })).toBeUndefined()
})
