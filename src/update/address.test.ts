import { expect, test } from 'bun:test'
import { baseAddress, fileOf, newestFile } from './address.ts'

test('addresses have the layout of GitHub', () => {
  const base = baseAddress({}, 'https://github.com/them/coop/releases')
  expect(newestFile(base, 'manifest.txt').href).toBe(
    'https://github.com/them/coop/releases/latest/download/manifest.txt',
  )
  expect(fileOf(base, '0.2.0', 'a').href).toBe('https://github.com/them/coop/releases/download/v0.2.0/a')
})

test('the variable takes the place of the built address', () => {
  expect(baseAddress({ COOP_BASE_URL: 'http://127.0.0.1:8080' }, 'https://a.example').href).toBe(
    'http://127.0.0.1:8080/',
  )
  expect(baseAddress({ COOP_BASE_URL: '' }, 'https://a.example/x/').href).toBe('https://a.example/x/')
})

test('without any, the error says why and what to set', () => {
  expect(() => baseAddress({}, '')).toThrow(/built without an address/)
})

test.each([
  ['http://a.example/coop', /only https/],
  ['http://127.0.0.1.evil.example/', /only https/],
  ['ftp://a.example/', /only https/],
  ['file:///srv/coop', /only https/],
  ['https://me:secret@a.example/', /login/],
  ['https://a.example/?x', /question/],
  ['a.example/coop', /cannot be read/],
])('%s is refused', (text, why) => {
  expect(() => baseAddress({ COOP_BASE_URL: text }, '')).toThrow(why)
})
