import { expect, test } from 'bun:test'
import { brokeredProvider } from './broker-values.ts'
import { BadValue } from './values.ts'

const read = (more: object): unknown => brokeredProvider.read({ key: 'env:K', ...more })

test('a provider is read, and written as it was', () => {
  for (const value of [
    '',
    { key: 'env:ANTHROPIC_API_KEY' },
    { key: 'file:~/.keys/x', url: 'https://gateway.example/api/v1' },
    {
      key: 'command:pass show "x"\n',
      budget: 0.5,
      prices: { 'gpt-5': [1.25, 10], 'org/model:x': [1, 2, 0.1, 3] },
    },
    { key: 'file:/k', url: 'http://127.0.0.1:8080' },
    { key: 'file:/k', url: 'http://[::1]:8080/v1' },
  ])
    expect(brokeredProvider.show(brokeredProvider.read(value))).toEqual(value)
})

test.each([
  ['https://host/v1/', 'https://host/v1'],
  ['https://HOST', 'https://host'],
])('the address %s is %s', (url, clean) => {
  expect(read({ url })).toMatchObject({ url: clean })
})

test.each([
  'http://example.com',
  'http://127.0.0.1.example.com',
  'http://127.0.0.2',
  'ftp://host',
  'https://user:word@host',
  'https://host@evil',
  'https://host/?x=1',
  'https://host/#x',
  'https://host\\evil',
  '//host',
  'host',
  '',
  7,
])('the address %p is refused', (url) => {
  expect(() => read({ url })).toThrow(BadValue)
})

test.each([
  'sk-ant-api03-abc',
  'env:',
  'env:A B',
  'env:$A',
  'file:key',
  'file:../key',
  'file:/a\nb',
  'command: ',
  'keyring:x',
  'ENV:A',
  '',
  7,
  undefined,
])('the key %p is refused', (key) => {
  expect(() => brokeredProvider.read({ key })).toThrow(BadValue)
})

test('what is no budget, no price or no key of the table is refused', () => {
  for (const budget of [0, -1, Number.NaN, Infinity, '5']) expect(() => read({ budget })).toThrow(BadValue)
  for (const prices of [[], { x: 1 }, { x: [1] }, { x: [1, -2] }, { x: [1, 2, 3, 4, 5] }, { 'a b': [1, 2] }])
    expect(() => read({ prices })).toThrow(BadValue)
  expect(() => read({ budgets: 1 })).toThrow(BadValue)
  for (const value of [true, 7, 'env:K', [], null, new Date()])
    expect(() => brokeredProvider.read(value)).toThrow(BadValue)
})
