import { expect, test } from 'bun:test'
import { type AcceptedByFolder, parseAccepted, printAccepted, withAccepted } from './accepted.ts'

const empty: AcceptedByFolder = new Map()
const asks = [
  { key: 'nested', sentence: 'make sandboxes' },
  { key: 'env:A', sentence: 'have your variable A' },
]

test('what is written is read', () => {
  const once = withAccepted(empty, '/w', asks, 1)
  const twice = withAccepted(once, '/v', asks.slice(1), 2)
  expect(parseAccepted(printAccepted(twice))).toEqual(twice)
  expect([...twice.keys()]).toEqual(['/w', '/v'])
})

test('a folder whose name is special to JavaScript is one like others', () => {
  const state = withAccepted(empty, '__proto__', asks, 1)
  expect(parseAccepted(printAccepted(state))?.get('/w')).toBeUndefined()
})

test('what is accepted again is there once, and what was before stays', () => {
  const once = withAccepted(empty, '/w', asks, 1)
  const again = withAccepted(once, '/w', [{ key: 'nested', sentence: 'other words' }], 5)
  expect(again.get('/w')).toEqual([
    { key: 'nested', sentence: 'other words', since: 5 },
    { key: 'env:A', sentence: 'have your variable A', since: 1 },
  ])
  expect(once.get('/w')).toHaveLength(2)
})

test.each(['', '{', 'null', '[]', '{}', '{"version":2,"folders":{}}', '{"version":1,"folders":[]}'])(
  '%p is no file of accepted asks',
  (text) => expect(parseAccepted(text)).toBeUndefined(),
)

test('one broken entry makes the whole file unreadable: nothing is half accepted', () => {
  for (const entry of ['1', '{}', '[{"key":"a"}]', '[{"key":1,"sentence":"x","since":0}]'])
    expect(parseAccepted(`{"version":1,"folders":{"/w":${entry}}}`)).toBeUndefined()
})
