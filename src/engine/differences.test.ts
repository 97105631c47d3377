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

test('a mount that the box has is no difference, however the box came to it', () => {
  const plan = {
    image: 'host',
    network: 'host',
    environment: { HOME: '/home/coop' },
    steps: [
      { do: 'bind', at: '/home/coop/x', source: { path: '/srv/x', owner: 'user' }, readonly: true },
      { do: 'bind', at: '/cache', source: { path: '/state/volumes/npm', owner: 'box' }, readonly: false },
    ],
  }
  const mine = { host: '/a', target: '/a', readonly: false }
  const with2 = { ...box, plan, flags: { mounts: [mine] } } as unknown as Manifest
  const has = [
    mine,
    { host: '/srv/x', target: '~/x', readonly: true },
    { volume: 'npm', target: '/cache', readonly: false },
  ]
  expect(differences({ mounts: has }, with2)).toEqual([])
  const others = [
    { ...mine, readonly: true },
    { host: '/srv/x', target: '~/x', readonly: false },
    { volume: 'pip', target: '/cache', readonly: false },
    { host: '/b', target: '/b', readonly: false },
  ]
  expect(differences({ mounts: others }, with2)).toEqual([
    { option: '--mount /a:/a:ro', has: '/a:/a' },
    { option: '--mount /srv/x:~/x', has: '/srv/x:~/x:ro' },
    { option: '--mount pip:/cache', has: 'npm:/cache' },
    { option: '--mount /b:/b', has: 'none' },
  ])
})

test('a new mount replaces the one at the same place, and others stay', () => {
  const at = (host: string, target: string) => ({ host, target, readonly: false })
  const old = { mounts: [at('/a', '/x'), at('/b', '/y')] }
  expect(withFlags(old, { mounts: [at('/c', '/x')] }).mounts).toEqual([at('/b', '/y'), at('/c', '/x')])
  expect(withFlags(old, {}).mounts).toEqual(old.mounts)
})

test('new flags replace old ones, and variables are added', () => {
  expect(withFlags({ agent: 'a', env: { A: '1', B: '2' } }, { network: 'none', env: { B: '3' } })).toEqual({
    image: undefined,
    agent: 'a',
    network: 'none',
    env: { A: '1', B: '3' },
    mounts: [],
  })
})
