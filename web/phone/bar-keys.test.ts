import { expect, test } from 'bun:test'
import { BAR, type BarKey, bytesOf } from './bar-keys.ts'

const NONE = { ctrl: false, alt: false }
const typing = BAR.flat().filter(
  (key): key is BarKey & { kind: 'key' | 'arrow' } => key.kind === 'key' || key.kind === 'arrow',
)

const typed = (name: string, isApplication: boolean, modifiers = NONE): string => {
  const key = typing.find((one) => one.name === name)
  if (!key) throw new Error(`there is no key ${name}`)
  return bytesOf(key, isApplication, modifiers)
}

test('the keys type what they say', () => {
  expect(typing.map((key) => [key.label, bytesOf(key, false, NONE)])).toEqual([
    ['esc', '\x1b'],
    ['tab', '\t'],
    ['⇧tab', '\x1b[Z'],
    ['^C', '\x03'],
    ['↑', '\x1b[A'],
    ['⏎', '\r'],
    ['←', '\x1b[D'],
    ['↓', '\x1b[B'],
    ['→', '\x1b[C'],
  ])
})

test('arrows honour the mode of the cursor keys, and all keys the modifiers', () => {
  expect(typed('Up', true)).toBe('\x1bOA')
  expect(typed('Up', true, { ctrl: true, alt: false })).toBe('\x1b[1;5A')
  expect(typed('Enter', false, { ctrl: false, alt: true })).toBe('\x1b\r')
  expect(typed('Interrupt, Control and C', false, { ctrl: true, alt: true })).toBe('\x03')
})
