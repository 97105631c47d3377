import { expect, test } from 'bun:test'
import { StatusRelay } from './status-relay.ts'

const [QUERY, CLEAR] = ['\x1b]7501;?\x1b\\', '\x1b]7501;state=clear\x1b\\']
const osc = (state: string): string => `\x1b]7501;state=${state}\x1b\\`

function relay() {
  const it = new StatusRelay()
  const shown: string[] = []
  const input = (text: string, now: number): string =>
    Buffer.from(it.input(Buffer.from(text), now, (report) => shown.push(report))).toString()
  return { it, shown, input }
}

test('a terminal that answers gets the newest report, and all further ones, until the end', () => {
  const { it, shown, input } = relay()
  expect(it.report('7501;state=idle', 0)).toBe(QUERY)
  expect(it.report('7501;state=working', 1)).toBe('')
  expect(input('a\x1b]7501;?\x07b', 2)).toBe('ab')
  expect(shown).toEqual([osc('working')])
  expect(it.report('7501;state=done', 3)).toBe(osc('done'))
  expect(input('\x1b]7501;?\x1b\\', 4)).toBe('\x1b]7501;?\x1b\\') // none of ours
  expect(it.end()).toBe(CLEAR)
})

test('a terminal that does not answer gets the question once, and no report', () => {
  const { it, shown, input } = relay()
  it.report('7501;state=idle', 0)
  expect(input('typed', 10_000)).toBe('typed')
  expect(it.report('7501;state=done', 10_001)).toBe('')
  expect(input('\x1b]7501;?\x07', 10_002)).toBe('\x1b]7501;?\x07')
  expect([...shown, it.end()]).toEqual([''])
})

test('without a report nothing is asked, and no input is touched', () => {
  const { it, input } = relay()
  expect(input('\x1b]7501;?\x07', 0)).toBe('\x1b]7501;?\x07')
  expect(it.end()).toBe('')
})
