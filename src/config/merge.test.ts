import { expect, test } from 'bun:test'
import type { ConfigLayer } from './config.ts'
import { mergeLayers, type Origin } from './merge.ts'
import { DEFAULTS } from './schema.ts'

const from = (name: string, layer: ConfigLayer) => ({ layer, origin: (): Origin => ({ kind: 'flag', name }) })

test('no layers are the defaults', () => {
  expect(mergeLayers([]).config).toEqual(DEFAULTS)
})

test('null, false and empty are values, an absent key is none', () => {
  const { config } = mergeLayers([
    from('a', { limits: { memory: 2 ** 30, cpus: 2 }, session: { auto_restart: false, persist: [] } }),
    from('b', { limits: { memory: null }, sandbox: {} }),
  ])
  expect(config.limits).toMatchObject({ memory: null, cpus: 2, pids: 4096 })
  expect(config.session).toMatchObject({ auto_restart: false, persist: [] })
})

test('a list that appends remembers the layer of each item', () => {
  const { config, origins } = mergeLayers([
    from('a', { sandbox: { setup: ['1', '2'] } }),
    from('b', { sandbox: { setup: [] } }),
    from('c', { sandbox: { setup: ['3'] } }),
  ])
  expect(config.sandbox.setup).toEqual(['1', '2', '3'])
  expect([0, 1, 2].map((index) => origins.get(`sandbox.setup[${index}]`))).toEqual([
    { kind: 'flag', name: 'a' },
    { kind: 'flag', name: 'a' },
    { kind: 'flag', name: 'c' },
  ])
})

test('merging leaves the defaults alone', () => {
  const before = JSON.stringify(DEFAULTS)
  mergeLayers([from('a', { env: { A: '1' }, sandbox: { setup: ['x'], args: ['y'] } })])
  expect(JSON.stringify(DEFAULTS)).toBe(before)
})
