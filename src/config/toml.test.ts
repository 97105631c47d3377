import { expect, test } from 'bun:test'
import TOML from '@iarna/toml'
import { quoteForMessage, tomlValue } from './toml.ts'

test('what is written is TOML and reads back the same', () => {
  const values = [
    '',
    'a"b\\c\n\t\u0000\u007f',
    '\u009b\u202e',
    '🐔',
    7,
    0.5,
    true,
    [],
    ['a', 1],
    { a: 'b', 'c d': [] },
    {},
  ]
  for (const value of values) expect(TOML.parse(`x = ${tomlValue(value)}`)).toEqual({ x: value })
})

test('half a character is replaced, because TOML cannot write it', () => {
  expect(tomlValue('\ud800')).toBe('"\ufffd"')
})

test('nothing in a message can control a terminal or turn its text around', () => {
  const all = String.fromCharCode(...Array.from({ length: 0x2100 }, (_, code) => code))
  for (let at = 0; at < all.length; at += 40) {
    expect(quoteForMessage(all.slice(at, at + 40))).not.toMatch(
      /[\0-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/,
    )
  }
})

test('long text is cut in a message', () => {
  expect(quoteForMessage('x'.repeat(1000))).toHaveLength(62)
})
