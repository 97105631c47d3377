import { expect, test } from 'bun:test'
import { editDistance, nearest } from './nearest.ts'

test('the distance counts inserted, deleted, replaced and swapped letters', () => {
  expect(editDistance('', 'abc')).toBe(3)
  expect(editDistance('image', 'image')).toBe(0)
  expect(editDistance('imge', 'image')).toBe(1)
  expect(editDistance('imaage', 'image')).toBe(1)
  expect(editDistance('imaga', 'image')).toBe(1)
  expect(editDistance('imgae', 'image')).toBe(1)
  expect(editDistance('kitten', 'sitting')).toBe(3)
})

test('a mistyped word gets the closest candidate', () => {
  expect(nearest('atach', ['exec', 'attach', 'start'])).toBe('attach')
  expect(nearest('STATUS', ['start', 'status'])).toBe('status')
  expect(nearest('stat', ['start', 'status'])).toBe('start')
})

test('the exact word wins over one that is close', () => {
  expect(nearest('start', ['stars', 'start', 'smart'])).toBe('start')
})

test('a word that resembles nothing gets no suggestion', () => {
  expect(nearest('elephant', ['exec', 'ls'])).toBeUndefined()
  expect(nearest('x', ['y'])).toBeUndefined()
  expect(nearest('', ['a'])).toBeUndefined()
})

test('a huge word costs no time', () => {
  expect(nearest('a'.repeat(1_000_000), ['aaaa'])).toBeUndefined()
})
