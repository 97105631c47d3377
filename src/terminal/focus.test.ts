import { expect, test } from 'bun:test'
import { Tokenizer } from '../vt/tokenizer.ts'
import { Focus } from './focus.ts'

const [GAINED, LOST] = ['\x1b[I', '\x1b[O']

function terminal(looked: boolean, isNew = true, emulator = false) {
  const told: string[] = []
  let asked = 0
  const focus = new Focus(
    {
      reply: (report) => told.push(report),
      wantsFocus: (then) => {
        asked++
        then(emulator)
      },
    },
    isNew ? false : undefined,
  )
  if (looked) focus.expect()
  const tokenizer = new Tokenizer({ text: () => {}, control: () => {}, sequence: (s) => focus.see(s) }, '')
  return { focus, told, asked: () => asked, print: (text: string) => tokenizer.push(Buffer.from(text)) }
}

test('a program that asks while nobody looks learns it, and then each change', () => {
  const t = terminal(false)
  t.print('\x1b[?2004;1004h')
  t.focus.look(true)
  t.focus.look(true)
  t.focus.look(false)
  expect(t.told).toEqual([LOST, GAINED, LOST])
})

test('the terminal of a user who looks tells its own focus', () => {
  const t = terminal(true)
  t.print('\x1b[?1004h')
  expect(t.told).toEqual([])
})

test('a program that has not asked, or asks no more, or has ended, gets no input', () => {
  const t = terminal(true)
  t.focus.look(false)
  for (const end of ['\x1b[?1004l', '\x1bc']) {
    t.print(`\x1b[?1004h${end}`)
    t.told.length = 0
    t.focus.look(true)
    t.focus.look(false)
    expect(t.told).toEqual([])
  }
  t.print('\x1b[?1004h')
  t.focus.reset()
  t.told.length = 0
  t.focus.look(true)
  expect(t.told).toEqual([])
})

test('after a change of the daemon the emulator knows whether it has asked, and is asked once', () => {
  const t = terminal(true, false, true)
  t.focus.look(false)
  t.focus.look(true)
  expect(t.told).toEqual([LOST, GAINED])
  expect(t.asked()).toBe(1)
  const other = terminal(true, false, false)
  other.focus.look(false)
  expect(other.told).toEqual([])
})
