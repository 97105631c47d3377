/** Public keys of releases: Ed25519 (RFC 8032), 32 raw bytes written in base64. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'

/** One key signs now; the next one is known already, so that it can take over when the first is lost or stolen. */
export const MAX_KNOWN_KEYS = 2

const RAW_BYTES = 32
const RAW_BASE64 = /^[A-Za-z0-9+/]{43}=$/
// SubjectPublicKeyInfo of every Ed25519 key begins with these bytes (RFC 8410, section 4).
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** Returns the raw bytes of a key in base64, or undefined if it is none. */
function rawKey(text: string): Buffer | undefined {
  const raw = RAW_BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
  // The last digit has two spare bits: only one spelling of a key counts.
  return raw?.length === RAW_BYTES && raw.toString('base64') === text ? raw : undefined
}

export const isKey = (text: string): boolean => rawKey(text) !== undefined

/** The first 16 hexadecimal digits of the SHA-256 of the raw key. Raises a RangeError for what is no key. */
export function keyId(key: string): string {
  const raw = rawKey(key)
  if (!raw) throw new RangeError('no Ed25519 key of 32 bytes in base64')
  return createHash('sha256').update(raw).digest('hex').slice(0, 16)
}

export const isKeyId = (text: string): boolean => /^[0-9a-f]{16}$/.test(text)

/** Returns the key in the form that node:crypto verifies with. */
export function publicKey(key: string): KeyObject {
  const raw = rawKey(key)
  if (!raw) throw new RangeError('no Ed25519 key of 32 bytes in base64')
  return createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })
}

/** Returns the raw key of a public key object, in base64. */
export function printKey(key: KeyObject): string {
  const der = key.export({ format: 'der', type: 'spki' })
  if (key.asymmetricKeyType !== 'ed25519' || der.length !== SPKI.length + RAW_BYTES)
    throw new RangeError('not an Ed25519 key')
  return der.subarray(SPKI.length).toString('base64')
}
