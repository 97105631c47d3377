import { expect, test } from 'bun:test'
import { boundedSize, commonSize, isLarger } from './window.ts'

const NOW = 1_000_000_000
const size = (columns: number, rows: number) => ({ columns, rows })

test('the smallest width and the smallest height of all windows in use', () => {
  const viewers = [
    { size: size(100, 20), active: NOW },
    { size: size(80, 40), active: NOW - 1000 },
  ]
  expect(commonSize(viewers, NOW)).toEqual(size(80, 20))
})

test('hidden windows do not count', () => {
  const viewers = [
    { size: undefined, active: NOW },
    { size: size(80, 40), active: NOW },
  ]
  expect(commonSize(viewers, NOW)).toEqual(size(80, 40))
  expect(commonSize([{ size: undefined, active: NOW }], NOW)).toBeUndefined()
})

test('a window that nobody has used for a long time does not keep the others small', () => {
  const forgotten = { size: size(20, 10), active: NOW - 3_600_000 }
  expect(commonSize([forgotten, { size: size(80, 40), active: NOW }], NOW)).toEqual(size(80, 40))
  expect(commonSize([forgotten], NOW)).toEqual(size(20, 10))
})

test('a size is larger when nothing is cut off', () => {
  expect(isLarger(size(80, 25), size(80, 24))).toBe(true)
  expect(isLarger(size(81, 23), size(80, 24))).toBe(false)
})

test('a size that nobody has, such as a program can give its own terminal, is cut to one that can be kept', () => {
  expect(boundedSize({ columns: 65_535, rows: 65_535 })).toEqual({ columns: 1000, rows: 500 })
  expect(boundedSize({ columns: 0, rows: 0 })).toEqual({ columns: 2, rows: 1 })
  expect(boundedSize({ columns: 211, rows: 57 })).toEqual({ columns: 211, rows: 57 })
})
