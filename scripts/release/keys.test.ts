import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CoopError } from '../../src/core/errors.ts'
import { makeKeys, signingKey } from './keys.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coop-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const built = (...keys: readonly string[]) => ({ version: '0.2.0', releases: '', keys, revoked: [] })

function refusal(file: string, ...keys: readonly string[]): CoopError {
  try {
    signingKey(file, built(...keys))
  } catch (error) {
    if (error instanceof CoopError) return error
    throw error
  }
  throw new Error('it was not refused')
}

test('a pair of keys signs; its private half is for its owner alone, and never overwritten', () => {
  const file = join(folder, 'key.pem')
  const [key = ''] = makeKeys(file).split('\n')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const before = readFileSync(file, 'utf8')
  expect(() => makeKeys(file)).toThrow(/already exists/)
  expect(readFileSync(file, 'utf8')).toBe(before)
  expect(signingKey(file, built(key))(Buffer.from('x'))).toMatch(/^[0-9a-f]{16} \S{88}\n$/)
})

test('a file without a private key of this release is refused, with the fix', () => {
  const missing = refusal(join(folder, 'none.pem'))
  expect([missing.code, missing.message]).toEqual([
    'E_USAGE',
    expect.stringContaining('none.pem cannot be read: ENOENT'),
  ])
  expect(missing.hint).toContain('keys FILE')
  expect(refusal(folder).message).toContain('cannot be read: EISDIR')
  const other = join(folder, 'text')
  writeFileSync(other, 'no key')
  expect(refusal(other).message).toContain('is no private Ed25519 key')
  const stranger = join(folder, 'stranger.pem')
  makeKeys(stranger)
  expect(refusal(stranger, 'another key').message).toContain('which is not in "keys" of package.json')
})
