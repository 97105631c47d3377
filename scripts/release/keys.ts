/** The keys that sign releases: makes a pair, and signs with the private one. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { CoopError } from '../../src/core/errors.ts'
import { keyId, printKey } from '../../src/release/keys.ts'
import { printSignature } from '../../src/release/signature.ts'
import type { BuiltIn } from './build.ts'

const VARIABLE = 'COOP_RELEASE_KEY'

/** Writes a new private key to a file that only its owner can read; returns what to do with the public one. */
export function makeKeys(file: string): string {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  let fd: number
  try {
    fd = openSync(file, 'wx', 0o600) // a key that is lost cannot be made again: never overwrites one
  } catch (error) {
    throw new CoopError(
      'E_FAILED',
      `${file} cannot be made: ${error instanceof Error ? error.message : error}`,
      {
        hint: 'name a file that does not exist, in a folder that only you can read',
      },
    )
  }
  writeSync(fd, privateKey.export({ format: 'pem', type: 'pkcs8' }))
  fsyncSync(fd)
  closeSync(fd)
  const key = printKey(publicKey)
  return `${key}\n\nThis is the public key, with the id ${keyId(key)}. Add it to "coop": { "keys": [...] } of package.json: the key that signs
first, the next one second. ${file} is the private key: keep it away from the repository, and the next one
away from the machine that signs. docs/releasing.md says what else.
`
}

/** Returns a function that signs as a line of manifest.txt.sig. The key must be one that the release itself knows. */
export function signingKey(file: string | undefined, built: BuiltIn): (bytes: Uint8Array) => string {
  const key = privateKey(file)
  const publicKey = printKey(createPublicKey(key))
  const id = keyId(publicKey)
  if (!built.keys.includes(publicKey))
    throw new CoopError(
      'E_USAGE',
      `the private key belongs to ${id}, which is not in "keys" of package.json`,
      {
        hint: `add ${publicKey}, or sign with another key`,
      },
    )
  return (bytes) => printSignature(id, sign(null, bytes, key))
}

function privateKey(file: string | undefined): KeyObject {
  const pem = file === undefined ? process.env[VARIABLE] : readPem(file)
  delete process.env[VARIABLE] // no program of the build needs it
  if (!pem)
    throw new CoopError('E_USAGE', 'a release is signed, and there is no key', {
      hint: `--key FILE, or the variable ${VARIABLE}; \`npm run release -- keys FILE\` makes one`,
    })
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // The error of the parser could show a part of the key.
  }
  throw new CoopError('E_USAGE', `${file ?? VARIABLE} is no private Ed25519 key in PEM`, {
    hint: '`npm run release -- keys FILE` makes one',
  })
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CoopError(
      'E_USAGE',
      `the private key ${file} cannot be read: ${error instanceof Error ? error.message : error}`,
      { hint: 'name the file that `npm run release -- keys FILE` has written', cause: error },
    )
  }
}
