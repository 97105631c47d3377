import { expect, test } from 'bun:test'
import { HandClock } from '../core/hand-clock.ts'
import { COOL_DOWN_MS, DWELL_MS, NoticeClock } from './notice-clock.ts'

function clocked() {
  const clock = new HandClock()
  const told: string[] = []
  const notices = new NoticeClock((box, { text }) => told.push(`${box}: ${text ?? ''}`), clock)
  return { clock, told, notices }
}

test('an agent that waits is told of after the dwell, once', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: clock.now(), text: 'Run rm?' })
  clock.pass(DWELL_MS - 1)
  expect(told).toEqual([])
  clock.pass(1)
  expect(told).toEqual(['a: Run rm?'])
  clock.pass(10 * COOL_DOWN_MS)
  expect(told).toEqual(['a: Run rm?'])
})

test('an agent that goes on within the dwell is not told of', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: clock.now() })
  clock.pass(DWELL_MS - 1)
  notices.stops('a')
  clock.pass(COOL_DOWN_MS)
  expect(told).toEqual([])
  expect(clock.isIdle).toBe(true)
})

test('an agent that goes on and asks again waits for a whole dwell again', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: clock.now(), text: 'one' })
  clock.pass(DWELL_MS - 1)
  notices.stops('a')
  notices.waits('a', { since: clock.now(), text: 'two' })
  clock.pass(DWELL_MS - 1)
  expect(told).toEqual([])
  clock.pass(1)
  expect(told).toEqual(['a: two'])
})

test('the next notice of a box comes a minute after the last one, with the newest words', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: 1, text: 'one' })
  clock.pass(DWELL_MS)
  notices.stops('a')
  notices.waits('a', { since: 2, text: 'two' })
  clock.pass(COOL_DOWN_MS - 1)
  expect(told).toEqual(['a: one'])
  notices.waits('a', { since: 2, text: 'two and a half' })
  clock.pass(1)
  expect(told).toEqual(['a: one', 'a: two and a half'])
})

test('a question that was answered during the cool-down is not told of', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: 1, text: 'one' })
  clock.pass(DWELL_MS)
  notices.stops('a')
  notices.waits('a', { since: 2, text: 'two' })
  clock.pass(COOL_DOWN_MS - 1)
  notices.stops('a')
  clock.pass(COOL_DOWN_MS)
  expect(told).toEqual(['a: one'])
})

test('the same words again are no news; other words are, after the cool-down', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: 1, text: 'one' })
  clock.pass(DWELL_MS)
  notices.waits('a', { since: 1, text: 'one' })
  expect(clock.isIdle).toBe(true)
  notices.waits('a', { since: 1, text: 'two' })
  clock.pass(COOL_DOWN_MS)
  expect(told).toEqual(['a: one', 'a: two'])
})

test('words that change all the time do not put the notice off', () => {
  const { clock, told, notices } = clocked()
  for (let second = 0; second < 5; second++) {
    notices.waits('a', { since: 1, text: `${second}` })
    clock.pass(1000)
  }
  expect(told).toEqual(['a: 4'])
})

test('each box has a cool-down of its own', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: 1 })
  notices.waits('b', { since: 1 })
  clock.pass(DWELL_MS)
  expect(told).toEqual(['a: ', 'b: '])
})

test('nothing is told after the end', () => {
  const { clock, told, notices } = clocked()
  notices.waits('a', { since: 1 })
  notices.end()
  clock.pass(COOL_DOWN_MS)
  expect(told).toEqual([])
})

test('what a person knows already is not told, what changes then is', () => {
  const { clock, told, notices } = clocked()
  notices.known('a', { since: 1, text: 'one' })
  notices.waits('a', { since: 1, text: 'one' })
  expect(clock.isIdle).toBe(true)
  notices.waits('a', { since: 2, text: 'two' })
  clock.pass(DWELL_MS)
  expect(told).toEqual(['a: two'])
})
