import { expect, test } from 'bun:test'
import { bodyOf, type Notice, noticeOf, parseNotice, plainLine, titleOf } from './notice.ts'

const notice: Notice = {
  box: 'shop',
  agent: 'claude',
  state: 'blocked',
  since: 5,
  text: 'approve Bash: rm -r build',
}

test('a notice survives its way', () => {
  expect(parseNotice(JSON.stringify(noticeOf(notice)))).toEqual(notice)
})

test('words of the box lose controls, marks of direction, lines and what is too long', () => {
  expect(plainLine('a\x1b[31m\u202eb\r\n\tc\u0000\ue000\u2066d')).toBe('a[31mb cd')
  const long = plainLine('\u{1f600}'.repeat(300))
  expect([...long]).toHaveLength(200)
  expect(long.endsWith('…')).toBe(true)
  expect(noticeOf({ ...notice, agent: 'x'.repeat(100), text: '\x07' })).toEqual({
    box: 'shop',
    agent: `${'x'.repeat(63)}…`,
    state: 'blocked',
    since: 5,
  })
})

test('a notice of at most 200 characters fits into a push message, which has 4096 bytes', () => {
  const widest = noticeOf({ ...notice, agent: '\u{1f600}'.repeat(80), text: '\u{1f600}'.repeat(300) })
  expect(Buffer.byteLength(JSON.stringify(widest))).toBeLessThan(2048)
})

test.each([
  '',
  'null',
  '[]',
  '7',
  '{"box":"a"}',
  '{"box":"","state":"done","since":1}',
  '{"box":"a","state":"idle","since":1}',
  '{"box":"a","state":"done","since":"1"}',
  '{"box":7,"state":"done","since":1}',
])('%s is no notice', (json) => {
  expect(parseNotice(json)).toBeUndefined()
})

test('the title says which agent does what, and where', () => {
  expect(titleOf(notice)).toBe('claude asks in shop')
  expect(titleOf({ ...notice, state: 'done' })).toBe('claude is done in shop')
  expect(titleOf({ ...notice, state: 'waiting' })).toBe('claude waits in shop')
  const { text: _, ...silent } = notice
  expect(bodyOf(silent)).toBe('It waits for your answer.')
  expect(bodyOf({ ...silent, state: 'done' })).toBe('Look at what it has done.')
})
