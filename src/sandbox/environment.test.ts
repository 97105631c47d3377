import { expect, test } from 'bun:test'
import { environmentList, planEnvironment } from './environment.ts'

const BASE = {
  box: 'b',
  user: 'coop',
  home: '/home/coop',
  shell: '/bin/bash',
  client: {},
  sharesNetwork: false,
  image: {},
  agent: {},
  configured: {},
  pathEntries: [],
}

test('of the client only locale and colors get in', () => {
  const env = planEnvironment({
    ...BASE,
    client: {
      LANG: 'C',
      LC_ALL: 'C',
      TZ: 'UTC',
      AWS_SECRET: 'x',
      PATH: '/evil',
      HOME: '/me',
      LD_PRELOAD: 'x',
      LC_: 'x',
    },
  })
  expect(env).toMatchObject({ LANG: 'C', LC_ALL: 'C', TZ: 'UTC', HOME: '/home/coop' })
  for (const name of ['AWS_SECRET', 'LD_PRELOAD', 'LC_']) expect(env[name]).toBeUndefined()
  expect(env.PATH).not.toContain('/evil')
})

test('later sources win: image, agent, configuration', () => {
  const env = planEnvironment({
    ...BASE,
    image: { A: 'i', B: 'i', C: 'i' },
    agent: { B: 'a', C: 'a' },
    configured: { C: 'c' },
  })
  expect(env).toMatchObject({ A: 'i', B: 'a', C: 'c' })
})

test('folders of the agent come first on PATH', () => {
  expect(planEnvironment({ ...BASE, pathEntries: ['/x/bin'] }).PATH).toMatch(
    /^\/x\/bin:\/home\/coop\/\.local\/bin:/,
  )
})

test('a TERM that is no name becomes the usual one', () => {
  expect(planEnvironment({ ...BASE, term: '../../x' }).TERM).toBe('xterm-256color')
  expect(planEnvironment({ ...BASE, term: 'screen-256color' }).TERM).toBe('screen-256color')
})

test('a list is NAME=VALUE', () => {
  expect(environmentList({ A: '1', B: '' })).toEqual(['A=1', 'B='])
})
