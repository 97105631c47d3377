import { expect, test } from 'bun:test'
import type { Manifest } from '../store/manifest.ts'
import { differences, withFlags } from './differences.ts'

const box = {
  flags: { agent: 'sleep infinity', env: { A: '1' } },
  agent: { title: 'sleep', command: ['sleep', 'infinity'] },
  plan: { image: 'host', network: 'host', environment: { A: '1', PATH: '/bin' } },
} as unknown as Manifest

test('options that a box has already are no difference', () => {
  expect(differences({}, box)).toEqual([])
  const same = { image: 'host', network: 'host', agent: 'sleep  infinity', env: { A: '1', PATH: '/bin' } }
  expect(differences(same, box)).toEqual([])
  expect(differences({ agent: 'sleep' }, { ...box, flags: {} })).toEqual([])
})

test('each other option is one, without the values of variables', () => {
  const wanted = {
    image: 'debian:12',
    network: 'none',
    agent: 'sleep 5',
    env: { A: 'secret', B: 'x', constructor: '' },
  }
  expect(differences(wanted, box)).toEqual([
    { option: '--image debian:12', has: 'host' },
    { option: '--network none', has: 'host' },
    { option: '--agent sleep 5', has: 'sleep infinity' },
    { option: '-e A', has: 'another value' },
    { option: '-e B', has: 'none' },
    { option: '-e constructor', has: 'none' },
  ])
  expect(differences({ agent: 'sleep' }, box)).toHaveLength(1)
  expect(differences({ agent: '/opt/sleep' }, { ...box, flags: {} })).toHaveLength(1)
})

test('new flags replace old ones, and variables are added', () => {
  expect(withFlags({ agent: 'a', env: { A: '1', B: '2' } }, { network: 'none', env: { B: '3' } })).toEqual({
    image: undefined,
    agent: 'a',
    network: 'none',
    env: { A: '1', B: '3' },
  })
})
