import { expect, test } from 'bun:test'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { testPaths } from '../disk/testing.ts'
import { Ledger } from './ledger.ts'
import { costOf } from './terms/prices.ts'

const TERMS = { key: { from: 'env', name: 'K' }, url: '', budget: 1, prices: {} } as const
const OF = { box: 'box', created: 1, provider: 'anthropic' } as const
const used = (input: number) => ({
  usage: { model: 'claude-sonnet-4-5', tokens: { input, output: 0, cached: 0, written: 0 }, isWhole: true },
  sentBytes: 0,
  receivedBytes: 0,
})

test('accounts and the port are there again, and belong to one box', () => {
  using paths = testPaths()
  mkdirSync(paths.dataDir)
  const failed = (error: unknown): void => expect(error).toBeUndefined()
  const first = new Ledger(paths, failed)
  first.setPort(4711)
  first.spend(OF, TERMS, undefined) // the list of models, which costs nothing
  first.spend(OF, TERMS, used(200_000))
  expect(first.allows(OF, TERMS)).toBe(true)
  first.spend(OF, TERMS, used(200_000))
  expect(first.allows(OF, TERMS)).toBe(false)
  expect([first.pause(OF), first.pause(OF)]).toEqual([true, false])
  first.flush()

  const next = new Ledger(paths, failed)
  expect(next.port).toBe(4711)
  expect(next.account(OF)).toMatchObject({ requests: 3, input: 400_000, cost: 1.2 })
  expect(next.account({ ...OF, created: 2 })).toMatchObject({ requests: 0 }) // another box of that name
  next.add(OF, 0.5)
  expect(next.allows(OF, TERMS)).toBe(true)
  expect(next.account(OF).paused).toBeUndefined()
  next.forget('box')
  expect(new Ledger(paths, failed).account(OF)).toMatchObject({ requests: 0 })

  const file = join(paths.dataDir, 'broker.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"version":1', '"version":2'))
  expect(() => new Ledger(paths, failed)).toThrow(CoopError)
})

test('an unknown model counts as the dearest, and the user knows better', () => {
  const tokens = { input: 1e6, output: 1e6, cached: 1e6, written: 1e6 }
  expect(costOf('anthropic', 'claude-of-tomorrow', tokens, {})).toBe(15 + 75 + 1.5 + 18.75)
  expect(costOf('anthropic', 'claude-of-tomorrow', tokens, { 'claude-': [1, 2] })).toBe(1 + 2 + 1 + 1)
  expect(costOf('openai', 'gpt-5-mini-2025', tokens, {})).toBeCloseTo(0.25 + 2 + 0.025 + 0.25)
})
