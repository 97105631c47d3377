import { expect, test } from 'bun:test'
import { Gesture } from './gesture.ts'

/** Moves a finger in steps of 10 ms. */
function drag(points: readonly (readonly [number, number])[], rest = 0) {
  const [[x, y] = [0, 0], ...others] = points
  const gesture = new Gesture(x, y, 0)
  let t = 0
  const moves = others.map(([x, y]) => {
    t += 10
    return gesture.move(x, y, t)
  })
  return { moves, end: gesture.end(t + rest) }
}

test('a finger that trembles taps', () => {
  const { moves, end } = drag([
    [100, 100],
    [104, 103],
    [99, 106],
  ])
  expect(moves).toEqual([{ is: 'tap' }, { is: 'tap' }])
  expect(end).toEqual({ is: 'tap' })
})

test('a finger that moves up scrolls down by as much, without a jump at the beginning', () => {
  const { moves, end } = drag([
    [100, 300],
    [101, 288],
    [102, 268],
    [160, 248],
  ])
  expect(moves).toEqual([
    { is: 'scroll', by: 0 },
    { is: 'scroll', by: 20 },
    { is: 'scroll', by: 20 },
  ])
  expect(end.is === 'scroll' && end.speed).toBeCloseTo(52 / 30)
})

test('a finger that rested before it left throws nothing', () => {
  const { end } = drag(
    [
      [100, 300],
      [100, 200],
    ],
    61,
  )
  expect(end).toEqual({ is: 'scroll', speed: 0 })
})

test('a finger that moves down and a little aside scrolls', () => {
  const { moves } = drag([
    [100, 100],
    [113, 110],
  ])
  expect(moves).toEqual([{ is: 'scroll', by: 0 }])
})

test.each([
  ['left', -80],
  ['right', 80],
] as const)('a long move to the %s is a swipe', (to, far) => {
  const { moves, end } = drag(
    [
      [200, 100],
      [200 + far / 2, 104],
      [200 + far, 108],
    ],
    100,
  )
  expect(moves.at(-1)).toEqual({ is: 'swipe', by: far })
  expect(end).toEqual({ is: 'swipe', to })
})

test('a short one counts only if it is quick', () => {
  const points = [
    [200, 100],
    [180, 100],
    [160, 100],
  ] as const
  expect(drag(points).end).toEqual({ is: 'swipe', to: 'left' })
  expect(drag(points, 100).end).toEqual({ is: 'swipe', to: undefined })
})

test('a swipe that is moved back at the end does not count', () => {
  const { end } = drag([
    [200, 100],
    [100, 100],
    [40, 100],
    [60, 100],
    [90, 100],
    [120, 100],
    [130, 100],
    [140, 100],
    [150, 100],
    [160, 100],
    [170, 100],
    [180, 100],
  ])
  expect(end).toEqual({ is: 'swipe', to: undefined })
})
