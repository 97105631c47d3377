import { expect, test } from 'bun:test'
import { HandClock } from '../../src/core/hand-clock.ts'
import { Repeater } from './repeat.ts'

test('a held key repeats after 300 ms, each 100 ms, until it is let go', () => {
  const clock = new HandClock()
  const repeater = new Repeater(clock)
  let typed = 0
  repeater.press(() => typed++)
  expect(typed).toBe(1)
  clock.pass(299)
  expect(typed).toBe(1)
  clock.pass(1)
  expect(typed).toBe(2)
  clock.pass(500)
  expect(typed).toBe(7)
  repeater.release()
  clock.pass(1000)
  expect(typed).toBe(7)
})

test('another key ends the first', () => {
  const clock = new HandClock()
  const repeater = new Repeater(clock)
  const typed: string[] = []
  repeater.press(() => typed.push('a'))
  repeater.press(() => typed.push('b'))
  clock.pass(300)
  expect(typed).toEqual(['a', 'b', 'b'])
})

test('a key whose action lets go does not go on', () => {
  const clock = new HandClock()
  const repeater = new Repeater(clock)
  let typed = 0
  repeater.press(() => {
    if (++typed === 2) repeater.release()
  })
  clock.pass(2000)
  expect(typed).toBe(2)
  expect(clock.isIdle).toBe(true)
})
