import { describe, expect, test } from 'bun:test'
import { Window } from 'happy-dom'
import { tokenOf } from '../sign-in.tsx'
import { takeClientNumber } from './client-number.ts'
import { takeToken } from './sign-in.ts'

function pageAt(url: string) {
  const window = new Window({ url })
  const replaced: unknown[] = []
  const history = { state: null, replaceState: (...args: unknown[]) => replaced.push(args[2]) }
  const token = takeToken(window.location as unknown as Location, history as unknown as History)
  return { token, replaced }
}

describe('the token of the address', () => {
  test('leaves the address, with nothing else', () => {
    expect(pageAt('http://localhost:8888/#t=secret')).toEqual({ token: 'secret', replaced: ['/'] })
    expect(pageAt('http://localhost:8888/#box=a&t=secret&pty=2')).toEqual({
      token: 'secret',
      replaced: ['/#box=a&pty=2'],
    })
  })

  test('is removed even when it is empty, and nothing happens without one', () => {
    expect(pageAt('http://localhost:8888/#t=')).toEqual({ token: undefined, replaced: ['/'] })
    expect(pageAt('http://localhost:8888/#box=a')).toEqual({ token: undefined, replaced: [] })
    expect(pageAt('http://localhost:8888/?t=secret')).toEqual({ token: undefined, replaced: [] })
  })

  test('is found in a pasted address', () => {
    expect(tokenOf(' http://localhost:8888/#t=secret ')).toBe('secret')
    expect(tokenOf('secret')).toBe('secret')
  })
})

describe('the number of the page', () => {
  test('is the same after a reload, and another in a duplicated tab', () => {
    const window = new Window({ url: 'http://localhost:8888/' })
    const storage = window.sessionStorage as unknown as Storage
    const page = new EventTarget()
    const first = takeClientNumber(storage, page)
    const duplicate = takeClientNumber(storage, new EventTarget())
    expect(duplicate).not.toBe(first)
    page.dispatchEvent(new Event('pagehide'))
    expect(takeClientNumber(storage, new EventTarget())).toBe(first)
  })

  test('is made anew in place of anything else', () => {
    const window = new Window({ url: 'http://localhost:8888/' })
    const storage = window.sessionStorage as unknown as Storage
    for (const kept of ['x', '-1', '0', '1e99']) {
      storage.setItem('coop.client', kept)
      const number = takeClientNumber(storage, new EventTarget())
      expect(number).toBeGreaterThan(0)
      expect(number).toBeLessThan(2 ** 32)
      expect(String(number)).not.toBe(kept)
    }
  })
})
