import { expect, test } from 'bun:test'
import { Turns } from './turns.ts'

test('calls of a browser wait for their turn, those of another do not', async () => {
  const turns = new Turns()
  for (let i = 0; i < 16; i++) expect(turns.enter('one')).toBeUndefined()
  const waiting = turns.enter('one')
  expect(waiting).toBeInstanceOf(Promise)
  expect(turns.enter('other')).toBeUndefined()
  for (let i = 1; i < 256; i++) expect(turns.enter('one')).toBeInstanceOf(Promise)
  expect(turns.enter('one')).toBe(false)
  turns.leave('one')
  await waiting
  expect(turns.enter('one')).toBeInstanceOf(Promise)
})
