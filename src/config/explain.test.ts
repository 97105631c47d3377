import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explainConfig, originText, valueText } from './explain.ts'
import { loadConfig } from './load.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'coop-explain-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('the listing shows every key with its origin and masks the environment', () => {
  writeFileSync(
    join(dir, 'coop.toml'),
    '[sandbox]\nmounts = ["v:/v:ro"]\n[env]\nTOKEN = "hunter2"\nKEY = "$HOST_KEY"\nGONE = "$GONE"\n[limits]\npids = "99"',
  )
  const loaded = loadConfig({
    workspace: dir,
    configDir: join(dir, 'none'),
    env: { HOST_KEY: 'hunter3' },
    overrides: { image: 'x' },
  })
  const rows = explainConfig(loaded)
  const row = (key: string) => rows.find((each) => each.key === key)
  const file = join(dir, 'coop.toml')
  expect(row('sandbox.image')).toEqual({ key: 'sandbox.image', value: 'x', origin: 'flag --image' })
  expect(row('sandbox.mounts[0]')).toEqual({
    key: 'sandbox.mounts[0]',
    value: 'v:/v:ro',
    origin: `${file}:2`,
  })
  expect(row('sandbox.setup')).toEqual({ key: 'sandbox.setup', value: [], origin: 'built-in' })
  expect(row('env.TOKEN')).toEqual({ key: 'env.TOKEN', value: null, origin: `${file}:4` })
  expect(row('env.KEY')?.value).toBe('$HOST_KEY')
  expect(row('env.GONE')?.value).toBe('$GONE')
  expect(row('limits.memory')).toBeUndefined() // without effect, so not in force
  expect(row('limits.pids')?.value).toBe(99)
  expect(row('session.notify')?.origin).toBe('built-in')
  expect(JSON.stringify(rows)).not.toContain('hunter')
})

test('for people a value is TOML', () => {
  expect(['x', ['a', 'b'], 4096, true, null].map(valueText)).toEqual([
    '"x"',
    '["a", "b"]',
    '4096',
    'true',
    '•••',
  ])
})

test('an origin is written so that an editor can jump to it', () => {
  expect(originText({ kind: 'file', file: '/w/coop.toml', line: 3 })).toBe('/w/coop.toml:3')
  expect(originText({ kind: 'environment', name: 'COOP_IMAGE' })).toBe('environment COOP_IMAGE')
  expect(originText({ kind: 'built-in' })).toBe('built-in')
})
