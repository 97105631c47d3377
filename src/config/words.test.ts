import { expect, test } from 'bun:test'
import { isBoxName } from '../core/names.ts'
import { twoWords } from './words.ts'

test('two words make a name for a box', () => {
  expect(isBoxName(twoWords(new Set(), Math.random))).toBe(true)
  expect(twoWords(new Set(), () => 0)).toBe('amber-acorn')
})

test('a name that is taken is not given again', () => {
  expect(twoWords(new Set(['amber-acorn']), () => 0)).toBe('amber-acorn-2')
  expect(twoWords(new Set(['amber-acorn', 'amber-acorn-2']), () => 0)).toBe('amber-acorn-3')
})
