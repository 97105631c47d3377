import { expect, test } from 'bun:test'
import type { BoxInfo } from '../../src/protocol/calls/boxes.ts'
import { answerIn } from './route.ts'
import { noticeAbout } from './watch.ts'

const info = (about: Partial<BoxInfo>): BoxInfo =>
  ({ name: 'shop', agent: 'claude', state: 'running', ...about }) as BoxInfo

test('a box whose agent waits has a notice, with its words and the time at which it began', () => {
  const doing = { state: 'blocked', since: 5, text: 'Run\u202e rm?', from: 'report' } as const
  const waiting = { since: 5, text: doing.text }
  expect(noticeAbout(info({ doing, waiting }))).toEqual({
    box: 'shop',
    agent: 'claude',
    state: 'blocked',
    since: 5,
    text: 'Run rm?',
  })
  expect(noticeAbout(info({ waiting: { since: 7 } }))).toEqual({
    box: 'shop',
    agent: 'claude',
    state: 'waiting',
    since: 7,
  })
  expect(noticeAbout(info({ doing: { ...doing, state: 'working' } }))).toBeUndefined()
})

test('the address of an answer', () => {
  expect(answerIn('#answer=my.shop')).toBe('my.shop')
  expect(answerIn('#box=a&answer=b&pty=1')).toBe('b')
  expect(answerIn('#answer=a%26b')).toBe('a&b')
  expect(answerIn('#box=a')).toBeUndefined()
  expect(answerIn('#answer=')).toBeUndefined()
  expect(answerIn('')).toBeUndefined()
})
