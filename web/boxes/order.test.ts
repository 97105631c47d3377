import { expect, test } from 'bun:test'
import type { BoxInfo } from '../../src/protocol/calls/boxes.ts'
import { age, bytes, byUrgency, groupOf, shortPath, stateWords } from './order.ts'

const box = (name: string, more: Partial<BoxInfo> = {}): BoxInfo => ({
  ...{ name, workspace: '/w', image: 'host', network: 'host', agent: 'Claude Code', state: 'running' },
  ...{ created: 1, ptys: [], clients: 0, detachKey: '' },
  ...more,
})

test('boxes that wait come first, the longest wait before the others', () => {
  const all = [
    box('old', { created: 1 }),
    box('stopped', { state: 'stopped', created: 9 }),
    box('later', { state: 'done', waiting: { since: 20 } }),
    box('new', { created: 5 }),
    box('first', { state: 'blocked', waiting: { since: 10 } }),
  ]
  expect(byUrgency(all).map(({ name }) => name)).toEqual(['first', 'later', 'new', 'old', 'stopped'])
})

test('a stopped box waits for nobody', () => {
  expect(groupOf(box('a', { state: 'stopped', waiting: { since: 1 } }))).toBe('stopped')
})

test('words for what a box does', () => {
  expect(stateWords(box('a', { state: 'blocked' }))).toEqual({ word: 'asks you', tone: 'waiting' })
  expect(stateWords(box('a', { state: 'working' }))).toEqual({ word: 'working', tone: 'working' })
  const pty = { id: 0, command: [], state: 'exited', exitCode: 3, clients: [], size: { columns: 1, rows: 1 } }
  expect(stateWords(box('a', { state: 'exited', ptys: [pty] }))).toEqual({ word: 'exited (3)', tone: 'bad' })
})

test('ages in their largest unit', () => {
  const ages = [0, 59_000, 60_000, 59 * 60_000, 3_600_000, 47 * 3_600_000, 1000 * 86_400_000]
  expect(ages.map((span) => age(0, span))).toEqual(['now', 'now', '1m', '59m', '1h', '1d', '1000d'])
  expect(age(10, 0)).toBe('now') // the clocks of two machines
})

test('paths by their last two names', () => {
  expect(shortPath('/home/me/src/coop')).toBe('…/src/coop')
  expect(shortPath('/home/me')).toBe('/home/me')
})

test('sizes', () => {
  expect([0, 999, 1000, 1_234_000, 20_000_000, 5e12].map(bytes)).toEqual([
    ...['0 B', '999 B', '1.0 kB', '1.2 MB', '20 MB', '5.0 TB'],
  ])
})
