import { expect, test } from 'bun:test'
import { type AcceptedByFolder, withAccepted } from './accepted.ts'

const empty: AcceptedByFolder = new Map()
const asks = [
  { key: 'nested', sentence: 'make sandboxes' },
  { key: 'env:A', sentence: 'have your variable A' },
]

test('what is accepted again is there once, and what was before stays', () => {
  const once = withAccepted(empty, '/w', asks, 1)
  const again = withAccepted(once, '/w', [{ key: 'nested', sentence: 'other words' }], 5)
  expect(again.get('/w')).toEqual([
    { key: 'nested', sentence: 'other words', since: 5 },
    { key: 'env:A', sentence: 'have your variable A', since: 1 },
  ])
  expect(once.get('/w')).toHaveLength(2)
})
