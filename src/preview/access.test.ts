import { beforeEach, describe, expect, test } from 'bun:test'
import { Access, type Place } from './access.ts'
import { FakeBrowsers } from './testing.ts'

const place: Place = { box: 'shop', created: 1, port: 3000, host: '3000.shop.localhost:8888' }
const elsewhere: readonly Place[] = [
  { ...place, box: 'other' },
  { ...place, created: 2 }, // another box of the same name
  { ...place, port: 3001 },
  { ...place, host: '127.0.0.1:40000' },
]
let now = 0
let browsers: FakeBrowsers
let access: Access

beforeEach(() => {
  now = 1_000
  browsers = new FakeBrowsers()
  browsers.secrets.set('one', 'secret').set('two', 'another')
  access = new Access(browsers, () => now)
})

describe('a ticket', () => {
  test('opens its place once', () => {
    const ticket = access.issue('one', place)
    expect(access.redeem(ticket, place)).toStartWith('one.')
    expect(access.redeem(ticket, place)).toBeUndefined()
  })

  test('holds for 30 seconds', () => {
    const [early, late] = [access.issue('one', place), access.issue('one', place)]
    now += 29_999
    expect(access.redeem(early, place)).toBeDefined()
    now += 1
    expect(access.redeem(late, place)).toBeUndefined()
  })

  test('opens nothing else, and is used up by the attempt', () => {
    for (const other of elsewhere) {
      const ticket = access.issue('one', place)
      expect(access.redeem(ticket, other)).toBeUndefined()
      expect(access.redeem(ticket, place)).toBeUndefined()
    }
    expect(access.redeem('guess', place)).toBeUndefined()
  })

  test('ends with the browser that got it', () => {
    const ticket = access.issue('one', place)
    browsers.revoke('one')
    expect(access.redeem(ticket, place)).toBeUndefined()
  })

  test('goes when too many come after it', () => {
    const first = access.issue('one', place)
    for (let i = 0; i < 1_000; i++) access.issue('one', place)
    expect(access.redeem(first, place)).toBeUndefined()
  })
})

describe('a cookie', () => {
  const cookie = (value: string | undefined): string => `x=1; coop-preview-8888=${value}; y=2`
  const browserOf = (header: string, at = place): string | undefined =>
    access.browserOf(header, 'coop-preview-8888', at)

  test('names its browser at its place, also among others of its name', () => {
    const value = access.redeem(access.issue('one', place), place)
    expect(browserOf(cookie(value))).toBe('one')
    expect(browserOf(`coop-preview-8888=planted; ${cookie(value)}`)).toBe('one')
    for (const other of elsewhere) expect(browserOf(cookie(value), other)).toBeUndefined()
  })

  test('is of no use for another browser, after signing out, or changed', () => {
    const value = access.redeem(access.issue('one', place), place) ?? ''
    expect(browserOf(cookie(value.replace('one.', 'two.')))).toBeUndefined()
    expect(browserOf(cookie(`${value}a`))).toBeUndefined()
    expect(browserOf(cookie('one.'))).toBeUndefined()
    expect(browserOf(cookie(''))).toBeUndefined()
    browsers.revoke('one')
    expect(browserOf(cookie(value))).toBeUndefined()
    browsers.secrets.set('one', 'secret of another sign-in')
    expect(browserOf(cookie(value))).toBeUndefined()
  })
})
