import { afterEach, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { keyId, printKey } from '../../src/release/keys.ts'
import { verifySignature } from '../../src/release/signature.ts'
import { signingKey } from './keys.ts'

afterEach(() => {
  delete process.env.COOP_RELEASE_KEY
})

test('the key of the variable signs, and the programs of the build do not see it', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = printKey(publicKey)
  process.env.COOP_RELEASE_KEY = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const trust = { keys: [key], revoked: [] }
  const sign = signingKey(undefined, { ...trust, version: '1.0.0', releases: '' })
  expect(Bun.spawnSync(['env']).stdout.toString()).not.toContain('COOP_RELEASE_KEY')
  const bytes = Buffer.from('coop-release 1\n')
  expect(verifySignature(bytes, Buffer.from(sign(bytes)), trust)).toBe(keyId(key))
})
