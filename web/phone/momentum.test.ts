import { expect, test } from 'bun:test'
import { Momentum, Steps } from './momentum.ts'

/** Returns the pixels of a throw, and how long it takes, in frames of 16 ms. */
function thrown(speed: number): { readonly pixels: number; readonly ms: number } {
  const momentum = new Momentum(speed, 0)
  let pixels = 0
  let now = 0
  while (!momentum.isOver) {
    now += 16
    pixels += momentum.step(now)
  }
  return { pixels, ms: now }
}

test('a throw goes some way, slows down and ends', () => {
  const { pixels, ms } = thrown(2)
  expect(pixels).toBeGreaterThan(600)
  expect(pixels).toBeLessThan(650)
  expect(ms).toBeLessThan(1400)
  expect(thrown(-2).pixels).toBeCloseTo(-pixels)
})

test('frames may come as they like', () => {
  const momentum = new Momentum(2, 0)
  let pixels = 0
  for (const now of [3, 50, 51, 400, 2000]) pixels += momentum.step(now)
  expect(pixels).toBeCloseTo(2 * 325, -1)
})

test('a slip of the finger throws nothing, and nothing is thrown without end', () => {
  expect(thrown(0.03)).toEqual({ pixels: 0, ms: 0 })
  expect(thrown(100).pixels).toBeLessThan(2000)
})

test('pixels add up to whole rows', () => {
  const steps = new Steps()
  expect([5, 5, 5, 5, 5, 5].map((pixels) => steps.add(pixels, 16))).toEqual([0, 0, 0, 1, 0, 0])
  expect(steps.add(-14, 16)).toBe(0)
  expect(steps.add(-16, 16)).toBe(-1)
  expect(steps.add(40, 16)).toBe(2)
})
