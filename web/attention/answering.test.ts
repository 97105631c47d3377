import { expect, test } from 'bun:test'
import { signal } from '@preact/signals'
import { HandClock } from '../../src/core/hand-clock.ts'
import { CLAUDE_BASH, CLAUDE_BASH_DONE, CODEX_EDIT } from './agent-screens.ts'
import { Answering, SETTLE_MS, type Way } from './answering.ts'
import type { ScreenLines } from './question.ts'

class FakeWay implements Way {
  readonly isOpen = signal(true)
  typed = 0
  readonly sent: string[] = []
  screen: ScreenLines = CLAUDE_BASH
  reads = 0
  send(text: string): void {
    this.sent.push(text)
    this.typed += new TextEncoder().encode(text).length
  }
  async readScreen(): Promise<ScreenLines> {
    this.reads++
    return this.screen
  }
}

async function asking() {
  const way = new FakeWay()
  const clock = new HandClock()
  const answering = new Answering(way, clock)
  await answering.read()
  return { way, clock, answering }
}

const states = ({ receipts }: Answering) => receipts.value.map(({ label, state }) => `${label} ${state}`)

test('a key has a receipt: on its way, then taken by the terminal', async () => {
  const { way, answering } = await asking()
  expect(answering.question.value?.choices.map(({ key }) => key)).toEqual(['1', '2', '3', '4'])
  expect(answering.key('1', '1')).toBe(true)
  expect(way.sent).toEqual(['1'])
  expect(states(answering)).toEqual(['1 sent'])
  answering.taken(0)
  expect(states(answering)).toEqual(['1 sent'])
  answering.taken(1)
  expect(states(answering)).toEqual(['1 taken'])
})

test('of several keys only those are taken that the terminal has', async () => {
  const { answering } = await asking()
  answering.key('↓', '\x1b[B')
  answering.key('Enter', '\r')
  answering.taken(3)
  expect(states(answering)).toEqual(['↓ taken', 'Enter sent'])
  answering.lost()
  expect(states(answering)).toEqual(['↓ taken', 'Enter lost'])
})

test('a text gets its Enter once the terminal has the text, as a key of its own', async () => {
  const { way, clock, answering } = await asking()
  expect(answering.text('größer')).toBe(true)
  expect(way.sent).toEqual(['größer'])
  clock.pass(10_000)
  expect(way.sent).toEqual(['größer'])
  answering.taken(8)
  clock.pass(1000)
  expect(way.sent).toEqual(['größer', '\r'])
  answering.taken(9)
  expect(states(answering)).toEqual(['“größer” taken', 'Enter taken'])
})

test('answers that have just changed under the thumb are not sent', async () => {
  const { way, clock, answering } = await asking()
  way.screen = CODEX_EDIT
  await answering.read()
  expect(answering.isSettled.value).toBe(false)
  expect(answering.key('1', '1')).toBe(false)
  expect(way.sent).toEqual([])
  clock.pass(SETTLE_MS)
  expect(answering.isSettled.value).toBe(true)
  expect(answering.key('1', '1')).toBe(true)
})

test('an answer is not sent twice by a nervous thumb; other keys may follow at once', async () => {
  const { way, clock, answering } = await asking()
  expect(answering.choose('1', '1')).toBe(true)
  expect(answering.choose('1', '1')).toBe(false)
  expect(answering.choose('2', '2')).toBe(false)
  expect(way.sent).toEqual(['1'])
  clock.pass(SETTLE_MS)
  expect(answering.key('↓', '\x1b[B')).toBe(true)
  expect(answering.key('Enter', '\r')).toBe(true)
})

test('the same answers again stay usable', async () => {
  const { answering } = await asking()
  await answering.read()
  expect(answering.key('1', '1')).toBe(true)
})

test('output has the screen read again once it pauses, and now and then while it does not', async () => {
  const { way, clock, answering } = await asking()
  way.screen = CLAUDE_BASH_DONE
  for (let piece = 0; piece < 5; piece++) {
    answering.changed()
    clock.pass(100)
  }
  expect(way.reads).toBe(1)
  answering.changed()
  clock.pass(100)
  expect(way.reads).toBe(2)
})

test('nothing is sent without a connection, nor after the end', async () => {
  const { way, answering } = await asking()
  way.isOpen.value = false
  expect(answering.key('1', '1')).toBe(false)
  expect(answering.text('yes')).toBe(false)
  way.isOpen.value = true
  answering.end()
  expect(answering.key('1', '1')).toBe(false)
  expect(way.sent).toEqual([])
})

test('a screen that cannot be read says why, until it can', async () => {
  const way = new FakeWay()
  const answering = new Answering(way, new HandClock())
  const read = way.readScreen.bind(way)
  way.readScreen = () => Promise.reject(new Error('the box shop is stopped'))
  await answering.read()
  expect(answering.error.value).toBe('the box shop is stopped')
  way.readScreen = read
  await answering.read()
  expect(answering.error.value).toBeUndefined()
})
