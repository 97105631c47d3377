import { expect, test } from 'bun:test'
import { work } from './slices.ts'
import type { Steps } from './steps.ts'

/** Takes that many steps of half a millisecond, then calls `done`. */
function* steps(count: number, done: () => void): Steps<void> {
  for (let i = 0; i < count; i++) {
    const until = performance.now() + 0.5
    while (performance.now() < until);
    yield
  }
  done()
}

test('long work leaves the loop its turns, and short work of others does not wait for its end', async () => {
  const order: string[] = []
  const long = Promise.withResolvers<void>()
  const short = Promise.withResolvers<void>()
  work(
    steps(200, () => {
      order.push('long')
      long.resolve()
    }),
    true,
  )
  work(
    steps(2, () => {
      order.push('short')
      short.resolve()
    }),
    true,
  )
  let turns = 0
  const turn = (): void => {
    turns++
    if (order.length < 2) setImmediate(turn)
  }
  setImmediate(turn)
  await Promise.all([long.promise, short.promise])
  expect(order).toEqual(['short', 'long'])
  expect(turns).toBeGreaterThan(10)
})

test('what a slice is enough for is done at once', () => {
  let isDone = false
  work(
    steps(1, () => {
      isDone = true
    }),
    true,
  )
  expect(isDone).toBe(true)
})
