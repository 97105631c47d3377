import { expect, test } from 'bun:test'
import { Typing } from './typing.ts'

test('a tap holds Ctrl for one key', () => {
  const typing = new Typing()
  typing.ctrl.tap(0)
  expect(typing.ctrl.hold.value).toBe('once')
  expect(typing.typed('c')).toBe('\x03')
  expect(typing.ctrl.hold.value).toBe('off')
  expect(typing.typed('c')).toBe('c')
})

test('two quick taps hold it until the next tap', () => {
  const typing = new Typing()
  typing.ctrl.tap(0)
  typing.ctrl.tap(399)
  expect(typing.ctrl.hold.value).toBe('locked')
  expect(typing.typed('a') + typing.typed('b')).toBe('\x01\x02')
  typing.ctrl.tap(5000)
  expect(typing.typed('a')).toBe('a')
})

test('a slow second tap takes the first one back', () => {
  const typing = new Typing()
  typing.ctrl.tap(0)
  typing.ctrl.tap(401)
  expect(typing.ctrl.isHeld).toBe(false)
})

test('both modifiers go with the same key', () => {
  const typing = new Typing()
  typing.ctrl.tap(0)
  typing.alt.tap(1000)
  expect(typing.typed('x')).toBe('\x1b\x18')
  expect(typing.modifiers).toEqual({ ctrl: false, alt: false })
})

test('a report of the pointer and a paste use no modifier up', () => {
  const typing = new Typing()
  typing.ctrl.tap(0)
  expect(typing.typed('\x1b[<64;1;1M')).toBe('\x1b[<64;1;1M')
  expect(typing.typed('echo hello')).toBe('echo hello')
  expect(typing.ctrl.isHeld).toBe(true)
})

test('with Ctrl the first character of a composed word is a key at once, and is not typed again with the word', () => {
  const typing = new Typing()
  typing.ctrl.tap(0)
  expect(typing.composing('c')).toBe('\x03')
  expect(typing.composing('cl')).toBeUndefined()
  expect(typing.composing('cls')).toBeUndefined()
  expect(typing.typed('cls')).toBe('ls')
  expect(typing.typed('c')).toBe('c')
})

test('without a modifier composing types nothing', () => {
  const typing = new Typing()
  expect(typing.composing('')).toBeUndefined()
  expect(typing.composing('c')).toBeUndefined()
  expect(typing.typed('c')).toBe('c')
})
