import { expect, test } from 'bun:test'
import { isHostname } from '../core/names.ts'
import { boxOfLabel, labelOf, readPreviewHost } from './hosts.ts'

test('each box has one label of its own', () => {
  const names = [
    'shop',
    'shop-2',
    'shop.v2',
    'shop-v2',
    'shop_v2',
    'shop.',
    'a..b',
    'xn--shop',
    `${'a'.repeat(39)}.`,
  ]
  const labels = names.map(labelOf)
  expect(new Set(labels).size).toBe(names.length)
  for (const label of labels)
    expect(isHostname(label) && !label.includes('.') && !label.startsWith('xn--')).toBe(true)
  expect(labelOf('shop')).toBe('shop')
  const boxes = names.map((name) => ({ name }))
  for (const name of names) expect(boxOfLabel(labelOf(name), boxes)?.name).toBe(name)
  expect(boxOfLabel('none', boxes)).toBeUndefined()
})

test('two boxes that could be meant are none', () => {
  const boxes = [{ name: 'shop.v2' }, { name: labelOf('shop.v2') }]
  expect(boxOfLabel(labelOf('shop.v2'), boxes)).toBeUndefined()
})

test('a host is a preview only if it is spelled as browsers do', () => {
  expect(readPreviewHost('3000.shop.localhost:8888', 8888, false)).toEqual({ port: 3000, label: 'shop' })
  expect(readPreviewHost('3000.shop.localhost', 80, false)).toEqual({ port: 3000, label: 'shop' })
  expect(readPreviewHost('3000.shop.localhost', 443, true)).toEqual({ port: 3000, label: 'shop' })
  for (const host of [
    '3000.shop.localhost',
    '3000.shop.localhost:8889',
    '3000.shop.localhost.:8888',
    '3000.shop.localhost:08888',
    '03000.shop.localhost:8888',
    '70000.shop.localhost:8888',
    '0.shop.localhost:8888',
    '3000.a.shop.localhost:8888',
    '3000.shop.localhost:8888, evil.example',
    'evil.example#.3000.shop.localhost:8888',
    '3000.Shop.localhost:8888',
    'shop.localhost:8888',
  ])
    expect(readPreviewHost(host, 8888, false)).toBeUndefined()
})
