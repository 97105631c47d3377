import { expect, test } from 'bun:test'
import { CRASH_WINDOW_MS, isCrashLoop, recentEnds } from './restarts.ts'

test('five ends within the window are a crash loop, four are not', () => {
  let ends: number[] = []
  for (let i = 0; i < 4; i++) ends = recentEnds(ends, i * 1000)
  expect(isCrashLoop(ends)).toBe(false)
  expect(isCrashLoop(recentEnds(ends, 9_000))).toBe(true)
})

test('ends that are older than the window do not count', () => {
  let ends: number[] = []
  for (let i = 0; i < 10; i++) ends = recentEnds(ends, i * (CRASH_WINDOW_MS / 4))
  expect(isCrashLoop(ends)).toBe(false)
})
