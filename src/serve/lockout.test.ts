import { expect, test } from 'bun:test'
import { Lockout } from './lockout.ts'

let now = 1_000_000
const lockout = (): Lockout => new Lockout(() => now)

test('an address may fail four times, then waits ever longer, five minutes at most', () => {
  const tries = lockout()
  const waits = Array.from({ length: 12 }, () => {
    tries.failed('a')
    return tries.waits('a') / 1000
  })
  expect(waits).toEqual([0, 0, 0, 0, 10, 20, 40, 80, 160, 300, 300, 300])
  expect(tries.waits('b')).toBe(0)
  now += 300_000
  expect(tries.waits('a')).toBe(0)
})

test('a right token ends it', () => {
  const tries = lockout()
  for (let i = 0; i < 5; i++) tries.failed('a')
  expect(tries.waits('a')).toBe(10_000)
  tries.succeeded('a')
  tries.failed('a')
  expect(tries.waits('a')).toBe(0)
})

test('addresses without number are forgotten, the oldest first', () => {
  const tries = lockout()
  for (let i = 0; i < 5; i++) tries.failed('first')
  for (let i = 0; i < 999; i++) tries.failed(`${i}`)
  expect(tries.waits('first')).toBe(10_000)
  tries.failed('one more')
  expect(tries.waits('first')).toBe(0)
})
