import { expect, test } from 'bun:test'
import { isTyped, QUIET_MS, WaitingState } from './waiting.ts'

const NOW = 1_000_000

test('a bell or a notification means that the agent waits, until somebody types', () => {
  const waiting = new WaitingState(undefined)
  waiting.output(NOW)
  waiting.said('may I?', NOW)
  expect(waiting.state).toEqual({ since: NOW, text: 'may I?' })
  waiting.input()
  expect(waiting.state).toBeUndefined()
})

test('silence after output means it, too; silence after input does not', () => {
  const waiting = new WaitingState(undefined)
  waiting.output(NOW)
  expect(waiting.quietAt).toBe(NOW + QUIET_MS)
  waiting.quiet(NOW + QUIET_MS - 1)
  expect(waiting.state).toBeUndefined()
  waiting.quiet(NOW + QUIET_MS)
  expect(waiting.state).toEqual({ since: NOW })
  waiting.input()
  expect(waiting.quietAt).toBeUndefined()
})

test('an agent that works on after silence does not wait any more', () => {
  const waiting = new WaitingState(undefined)
  waiting.output(NOW)
  waiting.quiet(NOW + QUIET_MS)
  waiting.output(NOW + QUIET_MS + 10)
  expect(waiting.state).toBeUndefined()
})

test('what is drawn after a bell does not take it back, work does', () => {
  const waiting = new WaitingState(undefined)
  waiting.said(undefined, NOW)
  waiting.output(NOW + 10)
  waiting.output(NOW + 100)
  expect(waiting.state).toEqual({ since: NOW })
  for (let at = 5_000; at < 8_000; at += 100) waiting.output(NOW + at)
  expect(waiting.state).toBeUndefined()
})

test('drawing anew after a change of size is no output', () => {
  const waiting = new WaitingState(undefined)
  waiting.output(NOW)
  waiting.quiet(NOW + QUIET_MS)
  waiting.redraw(NOW + QUIET_MS + 100)
  waiting.output(NOW + QUIET_MS + 150)
  expect(waiting.state).toEqual({ since: NOW })
})

test('answers of the terminal are not typed by anybody', () => {
  for (const answer of [
    '\x1b[?62;c',
    '\x1b[24;80R',
    '\x1b[I',
    '\x1b[O',
    '\x1b[<0;3;4M',
    '\x1b]11;rgb:0/0/0\x1b\\',
  ])
    expect(isTyped(Buffer.from(answer))).toBe(false)
  for (const typed of ['y', '\r', '\x1b[A', '\x1b', '\x1b[Iy']) expect(isTyped(Buffer.from(typed))).toBe(true)
})
