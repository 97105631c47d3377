import { expect, test } from 'bun:test'
import { bytes } from './bytes.ts'

test('numbers of bytes are short', () => {
  expect([0, 5, 2048, 1_500_000, 300 * 1024 ** 2, 2e18].map(bytes)).toEqual([
    '0B',
    '5B',
    '2.0K',
    '1.4M',
    '300M',
    '1776P',
  ])
})
