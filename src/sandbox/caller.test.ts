import { expect, test } from 'bun:test'
import {
  type Caller,
  LIMITS,
  type Limit,
  type LimitName,
  limitsToSet,
  outdoes,
  UNLIMITED,
  withinCaller,
} from './caller.ts'

function caller(change: Partial<Record<LimitName, Limit>> = {}, nice = 0): Caller {
  const limits = Object.fromEntries(LIMITS.map((name) => [name, [100, 1000]])) as unknown as Caller['limits']
  return { umask: 0o022, nice, policy: 0, io: 0, processors: 'ff', limits: { ...limits, ...change } }
}

test('only limits that differ are set, and none above what the process has', () => {
  expect(limitsToSet(caller(), caller())).toEqual([])
  expect(limitsToSet(caller({ 'Max cpu time': [5, 5] }), caller())).toEqual([['Max cpu time', [5, 5]]])
  expect(limitsToSet(caller({ 'Max file size': [UNLIMITED, UNLIMITED] }), caller())).toEqual([
    ['Max file size', [1000, 1000]],
  ])
})

test('the configuration bounds processes and open files, and a caller with less gets less', () => {
  const low = caller({ 'Max open files': [20, 50], 'Max processes': [30, 60] })
  expect(limitsToSet(low, caller())).toEqual([])
  expect(withinCaller(4096, 'Max processes', low)).toBe(60)
  expect(withinCaller(10, 'Max open files', low)).toBe(10)
  expect(withinCaller(4096, 'Max open files', undefined)).toBe(4096)
})

test('a client outdoes a daemon with more of one thing and less of none', () => {
  const more = caller({ 'Max cpu time': [100, UNLIMITED] })
  expect(outdoes(more, caller())).toBe(true)
  expect(outdoes(caller(), more)).toBe(false)
  expect(outdoes(caller(), caller())).toBe(false)
  expect(outdoes(caller(), caller({}, 5))).toBe(true)
  // Otherwise two clients would replace each other's daemons for ever.
  expect(outdoes(more, caller({ 'Max file size': [100, 2000] }))).toBe(false)
  expect(outdoes(caller({ 'Max cpu time': [100, UNLIMITED] }, 5), caller())).toBe(false)
  // A soft limit can be raised, and root's negative nice value is nothing that a daemon should have.
  expect(outdoes(caller({ 'Max cpu time': [1000, 1000] }), caller())).toBe(false)
  expect(outdoes(caller({}, -10), caller())).toBe(false)
})
