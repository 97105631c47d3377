import { describe, expect, test } from 'bun:test'
import type { ProgramStatus } from '../vt/program-status.ts'
import { ActivityState, isTyped, needsUser, QUIET_MS } from './activity.ts'
import { titleState } from './title-state.ts'

const NOW = 1_000_000

const reports = (state: ProgramStatus['state'], more: Partial<ProgramStatus> = {}): ProgramStatus => ({
  state,
  id: '',
  ...more,
})

describe('an agent that reports', () => {
  test('does what it says, with the beginning of each state', () => {
    const agent = new ActivityState(undefined)
    agent.reported(reports('idle'), NOW)
    agent.reported(reports('working'), NOW + 10)
    agent.reported(reports('working'), NOW + 20)
    expect(agent.activity).toEqual({ state: 'working', since: NOW + 10, from: 'report' })
    agent.reported(reports('blocked', { text: 'rm it?' }), NOW + 30)
    expect(agent.activity).toEqual({ state: 'blocked', since: NOW + 30, text: 'rm it?', from: 'report' })
    expect(needsUser(agent.activity)).toBe(true)
    agent.reported(reports('done'), NOW + 40)
    expect(agent.activity).toEqual({ state: 'done', since: NOW + 40, from: 'report' })
    agent.reported(reports('clear'), NOW + 50)
    expect(agent.activity).toBeUndefined()
  })

  test('is not overruled by a key, its title, the bell, its output, or its silence', () => {
    const agent = new ActivityState(undefined)
    agent.reported(reports('blocked'), NOW)
    agent.input(NOW + 1)
    agent.titled('⠙ project', NOW + 2)
    for (let at = 5_000; at < 8_000; at += 100) agent.output(NOW + at)
    expect(agent.activity).toMatchObject({ state: 'blocked', since: NOW })
    agent.reported(reports('working'), NOW + 9_000)
    agent.said(undefined, NOW + 9_001)
    expect(agent.quietAt).toBeUndefined()
    agent.quiet(NOW + 60_000)
    expect(agent.activity).toMatchObject({ state: 'working', since: NOW + 9_000 })
  })

  test('gets the words of its notification for a question without any', () => {
    const agent = new ActivityState(undefined)
    agent.reported(reports('blocked'), NOW)
    agent.said('Approval requested', NOW + 5)
    expect(agent.activity).toMatchObject({ state: 'blocked', text: 'Approval requested' })
    agent.reported(reports('working'), NOW + 10)
    agent.reported(reports('blocked'), NOW + 20)
    expect(agent.activity?.text).toBeUndefined()
  })

  test('that has several tasks asks when one of them asks', () => {
    const agent = new ActivityState(undefined)
    agent.reported(reports('done'), NOW)
    agent.reported(reports('working', { id: 'a' }), NOW)
    expect(agent.activity?.state).toBe('working')
    agent.reported(reports('blocked', { id: 'b', text: 'ok?' }), NOW)
    expect(agent.activity).toMatchObject({ state: 'blocked', text: 'ok?' })
    agent.reported(reports('clear', { id: 'b' }), NOW)
    agent.reported(reports('clear', { id: 'a' }), NOW)
    expect(agent.activity?.state).toBe('done')
    for (let task = 0; task < 1000; task++) agent.reported(reports('idle', { id: `t${task}` }), NOW)
    agent.reported(reports('working'), NOW) // its own is never left out
    expect(agent.activity?.state).toBe('working')
  })
})

describe('a title', () => {
  test.each([
    ['[ ! ] Action Required | please do it', 'blocked'],
    ['[ . ] Action Required | x', 'blocked'],
    ['✋  Action Required (ws)', 'blocked'],
    ['⠙ please do it | project', 'working'],
    ['◐ Scripted session', 'working'],
    ['✦  Working… (ws)', 'working'],
    ['✳ Claude Code', undefined], // also while it asks
    ['◇  Ready (ws)', 'idle'],
    ['project', undefined],
    ['Fix the Action Required banner', undefined],
  ] as const)('%s', (title, state) => expect(titleState(title)).toBe(state))

  test('that asks is a question, whatever the program draws', () => {
    const agent = new ActivityState(undefined)
    agent.titled('[ ! ] Action Required | x', NOW)
    for (let at = 0; at < 20_000; at += 1000) {
      agent.titled(`[ ${at % 2000 ? '!' : '.'} ] Action Required | x`, NOW + at)
      agent.output(NOW + at)
    }
    expect(agent.activity).toEqual({ state: 'blocked', since: NOW, from: 'title' })
    agent.titled('⠙ x', NOW + 30_000)
    expect(agent.activity).toMatchObject({ state: 'working', since: NOW + 30_000 })
  })

  test('whose spinner stands still does not work', () => {
    const agent = new ActivityState(undefined)
    agent.titled('⠙ x', NOW)
    agent.output(NOW)
    expect(agent.quietAt).toBe(NOW + QUIET_MS)
    agent.quiet(NOW + QUIET_MS)
    expect(agent.activity).toEqual({ state: 'waiting', since: NOW, from: 'silence' })
    agent.output(NOW + QUIET_MS + 1)
    expect(agent.activity?.state).toBe('working')
  })

  test('of an idle agent makes its silence mean nothing, but its bell still rings', () => {
    const agent = new ActivityState(undefined)
    agent.titled('◇  Ready (ws)', NOW)
    agent.output(NOW)
    expect(agent.quietAt).toBeUndefined()
    agent.said(undefined, NOW + 6_000)
    expect(agent.activity).toEqual({ state: 'waiting', since: NOW + 6_000, from: 'signal' })
    agent.titled('◐ x', NOW + 7_000)
    expect(agent.activity?.state).toBe('working')
  })
})

test('a program that shows its progress works until that is gone, silent or not', () => {
  const agent = new ActivityState(undefined)
  agent.progressed(true, NOW)
  agent.output(NOW)
  expect(agent.activity).toEqual({ state: 'working', since: NOW, from: 'progress' })
  expect(agent.quietAt).toBeUndefined()
  agent.progressed(false, NOW + 10)
  expect(agent.activity).toBeUndefined()
  expect(agent.quietAt).toBe(NOW + QUIET_MS)
})

describe('an agent that shows nothing of that', () => {
  test('waits after a bell or a notification, until somebody types', () => {
    const agent = new ActivityState(undefined)
    agent.output(NOW)
    agent.said('may I?', NOW)
    expect(agent.activity).toEqual({ state: 'waiting', since: NOW, text: 'may I?', from: 'signal' })
    agent.input(NOW + 1)
    expect(agent.activity).toBeUndefined()
  })

  test('waits after silence that follows output; silence after input means nothing', () => {
    const agent = new ActivityState(undefined)
    agent.output(NOW)
    expect(agent.quietAt).toBe(NOW + QUIET_MS)
    agent.quiet(NOW + QUIET_MS - 1)
    expect(agent.activity).toBeUndefined()
    agent.quiet(NOW + QUIET_MS)
    expect(agent.activity).toEqual({ state: 'waiting', since: NOW, from: 'silence' })
    agent.input(NOW + QUIET_MS + 1)
    expect(agent.quietAt).toBeUndefined()
  })

  test('and that works on after silence does not wait any more', () => {
    const agent = new ActivityState(undefined)
    agent.output(NOW)
    agent.quiet(NOW + QUIET_MS)
    agent.output(NOW + QUIET_MS + 10)
    expect(agent.activity).toBeUndefined()
  })

  test('still waits when it draws after a bell, and no more when it works', () => {
    const agent = new ActivityState(undefined)
    agent.said(undefined, NOW)
    agent.output(NOW + 10)
    agent.output(NOW + 100)
    expect(agent.activity).toMatchObject({ state: 'waiting', since: NOW })
    for (let at = 5_000; at < 8_000; at += 100) agent.output(NOW + at)
    expect(agent.activity).toBeUndefined()
  })

  test('still waits when it draws anew after a change of size', () => {
    const agent = new ActivityState(undefined)
    agent.output(NOW)
    agent.quiet(NOW + QUIET_MS)
    agent.redraw(NOW + QUIET_MS + 100)
    agent.output(NOW + QUIET_MS + 150)
    expect(agent.activity).toMatchObject({ state: 'waiting', since: NOW })
  })
})

test('the screen describes a question without words, and only that question', () => {
  const agent = new ActivityState(undefined)
  agent.said(undefined, NOW)
  agent.describe(NOW - 1, 'another')
  agent.describe(NOW, 'Overwrite?')
  agent.describe(NOW, 'later')
  agent.output(NOW + 10)
  expect(agent.activity?.text).toBe('Overwrite?')
  agent.input(NOW + 20)
  agent.said(undefined, NOW + 30)
  expect(agent.activity?.text).toBeUndefined()
})

test('the next daemon goes on with what the last one knew', () => {
  for (const known of [
    { state: 'blocked', since: NOW, text: 'a?', from: 'report' },
    { state: 'working', since: NOW, from: 'progress' },
    { state: 'blocked', since: NOW, from: 'title' },
    { state: 'waiting', since: NOW, text: 'b?', from: 'signal' },
    { state: 'waiting', since: NOW, from: 'signal' },
  ] as const) {
    const agent = new ActivityState(known)
    agent.output(NOW + 10)
    expect(agent.activity).toEqual(known)
  }
})

test('nothing is left of a program that has ended', () => {
  const agent = new ActivityState({ state: 'blocked', since: NOW, from: 'report' })
  agent.reset()
  agent.output(NOW + 1)
  expect(agent.activity).toBeUndefined()
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
