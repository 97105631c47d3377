import { expect, test } from 'bun:test'
import { type Layer, layerLines } from './image-progress.ts'

const layer = (id: string, phase: Layer['phase'], done = 0): Layer => ({
  id,
  size: 2 * 1024 * 1024,
  phase,
  done,
  since: 0,
})

test('a line says how far it is, how fast, and what it does', () => {
  const half = 1024 * 1024
  expect(layerLines([layer('aa', 'downloading', half)], 9, 500)).toEqual([
    'aa  [############            ]  1.0M/2.0M  downloading  2.0M/s',
  ])
  expect(layerLines([layer('aa', 'downloading', 2 * half)], 9, 500)).toEqual([
    'aa  [########################]  2.0M/2.0M  downloaded',
  ])
  expect(layerLines([layer('aa', undefined)], 9, 500)).toEqual([`aa  ${' '.repeat(26)}  2.0M`])
})

test('a layer of no bytes is whole', () => {
  expect(layerLines([{ ...layer('aa', 'unpacking'), size: 0 }], 9, 0)[0]).toContain('[####')
})

test('with more layers than rows, those that move are shown', () => {
  const layers = [
    layer('a', 'done'),
    layer('b', undefined),
    layer('c', 'there'),
    layer('d', 'unpacking', 1),
    layer('e', 'downloading', 1),
  ]
  const lines = layerLines(layers, 3, 0)
  expect(lines[0]).toBe('2 of 5 layers are here')
  expect(lines.slice(1).map((line) => line[0])).toEqual(['d', 'e'])
})
