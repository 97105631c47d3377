import { describe, expect, test } from 'bun:test'
import { cleanStatus, isStatusQuery, parseStatus } from './program-status.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a report of a program', () => {
  test('has a state, a task, and a message of one plain line', () => {
    expect(parseStatus('7501;state=working:app=codex')).toEqual({ state: 'working', id: '' })
    const asks = `7501;state=blocked:app=claude-code:id=a.1:kind=permission:msg=${base64('approve Bash:\nrm\u202e\x1b[31m -r')}`
    expect(parseStatus(asks)).toEqual({ state: 'blocked', id: 'a.1', text: 'approve Bash: rm[31m -r' })
    expect(parseStatus('7501;state=clear:id=b')).toEqual({ state: 'clear', id: 'b' })
  })

  test.each([
    '7501;?',
    '7501;',
    '7501;state=',
    '7501;state=hacked',
    '7501;app=x',
    '7501;STATE=idle',
    '75010;state=idle',
    '7501;__proto__=idle',
  ])('%s is none', (text) => expect(text.startsWith('7501;') && parseStatus(text)).toBeFalsy())

  test('has bounds, and leaves out what is malformed', () => {
    const text = parseStatus(`7501;state=blocked:msg=${base64('🐔'.repeat(500))}`)?.text
    expect(text).toBe('🐔'.repeat(200))
    expect(parseStatus(`7501;state=blocked:msg=${'A'.repeat(8000)}:id=${'x'.repeat(65)}`)).toEqual({
      state: 'blocked',
      id: '',
    })
    expect(parseStatus('7501;state=idle:msg=%%%:id=a b:constructor=x')).toEqual({ state: 'idle', id: '' })
    expect(parseStatus(`7501;${'x=1:'.repeat(2000)}state=idle`)).toBeUndefined()
  })

  test('reaches a terminal with its known fields only', () => {
    const dirty = `7501;state=blocked:app=x:evil=1:progress=200:msg=${base64('a\x1bb\u202ec')}`
    expect(cleanStatus(dirty)).toBe(`7501;state=blocked:app=x:msg=${base64('abc')}`)
    expect(cleanStatus('7501;?')).toBeUndefined()
  })

  test('is asked for by one question', () => {
    expect(isStatusQuery('7501;?')).toBe(true)
    expect(isStatusQuery('7501;?x')).toBe(false)
  })
})
