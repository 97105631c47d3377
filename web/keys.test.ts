import { expect, test } from 'bun:test'
import { commandOf, KEYS } from './keys.ts'

const press = (code: string, ...held: ('ctrl' | 'alt' | 'shift' | 'meta')[]) => ({
  code,
  ctrlKey: held.includes('ctrl'),
  altKey: held.includes('alt'),
  shiftKey: held.includes('shift'),
  metaKey: held.includes('meta'),
})

test('shortcuts need their modifiers exactly', () => {
  expect(commandOf(press('KeyF', 'ctrl', 'shift'))).toBe('search')
  expect(commandOf(press('KeyF', 'ctrl'))).toBeUndefined()
  expect(commandOf(press('KeyF', 'shift'))).toBeUndefined()
  expect(commandOf(press('KeyF', 'ctrl', 'alt', 'shift'))).toBeUndefined()
  expect(commandOf(press('KeyF', 'ctrl', 'shift', 'meta'))).toBeUndefined()
  expect(commandOf(press('ArrowLeft', 'alt', 'shift'))).toBe('focusLeft')
  expect(commandOf(press('ArrowLeft', 'ctrl', 'alt', 'shift'))).toBe('moveLeft')
})

test('no two commands have the same keys', () => {
  const all = Object.values(KEYS).map((keys) => `${keys.with} ${keys.code}`)
  expect(new Set(all).size).toBe(all.length)
})

test('no shortcut is one that browsers keep, or that pastes', () => {
  const taken = ['KeyN', 'KeyT', 'KeyW', 'KeyV']
  const ours = Object.values(KEYS).filter((keys) => keys.with === 'ctrl-shift')
  expect(ours.filter(({ code }) => taken.includes(code))).toEqual([])
})
