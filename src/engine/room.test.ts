import { expect, test } from 'bun:test'
import { closeSync, openSync } from 'node:fs'
import { descriptorsLeft, Turns } from './room.ts'

const PLENTY = 100_000

test('an open descriptor is one less', () => {
  const before = descriptorsLeft()
  const fd = openSync('/dev/null', 'r')
  expect(descriptorsLeft()).toBe(before - 1)
  closeSync(fd)
  expect(descriptorsLeft()).toBe(before)
})

test('work is done a few at a time, in the order in which it came', async () => {
  const turns = new Turns(() => PLENTY)
  const begun: number[] = []
  let active = 0
  let most = 0
  const all = Array.from({ length: 50 }, (_, at) =>
    turns.take(async () => {
      begun.push(at)
      most = Math.max(most, ++active)
      await Promise.resolve()
      active--
    }),
  )
  await Promise.all(all)
  expect(begun).toEqual(Array.from({ length: 50 }, (_, at) => at))
  expect(most).toBe(8)
})

test('work that fails gives its turn away', async () => {
  const turns = new Turns(() => PLENTY)
  const all = Array.from({ length: 20 }, () => turns.take(() => Promise.reject(new Error('in vain'))))
  const results = await Promise.allSettled(all)
  expect(results.every(({ status }) => status === 'rejected')).toBe(true)
  expect(await turns.take(() => Promise.resolve('done'))).toBe('done')
})

test('work waits until there are enough descriptors', async () => {
  let left = 0
  const turns = new Turns(() => left)
  let done = false
  const work = turns.take(async () => {
    done = true
  })
  await Bun.sleep(0)
  expect(done).toBe(false)
  left = PLENTY
  await work
  expect(done).toBe(true)
})
