/** Secrets of the page: made, hashed, and compared in constant time. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const BYTES = 24 // 192 bits

export const newSecret = (): string => randomBytes(BYTES).toString('base64url')

export const newId = (): string => randomBytes(6).toString('hex')

/** Hex. Secrets are random, so that a plain hash cannot be reversed. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Whether a secret has this hash. The time tells nothing: both sides are hashes of one length. */
export function hasHash(secret: string, hash: string): boolean {
  const given = Buffer.from(hashOf(secret), 'hex')
  const wanted = Buffer.from(hash, 'hex')
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
