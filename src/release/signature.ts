/** Decides whether a manifest comes from whoever may publish releases. */
import { verify } from 'node:crypto'
import { CoopError } from '../core/errors.ts'
import { isKeyId, keyId, publicKey } from './keys.ts'
import { MANIFEST_NAME, type Manifest, parseManifest, SIGNATURE_NAME } from './manifest.ts'

export const MAX_SIGNATURE_BYTES = 4 << 10 // a line takes 106 bytes

/** The keys that a coop believes. */
export interface Trust {
  /** Raw public keys in base64; at most two, and none in a coop that nobody gave keys to. */
  readonly keys: readonly string[]
  /** Ids of revoked keys: those built in, and those that earlier releases revoked. */
  readonly revoked: readonly string[]
}

export interface SignedManifest {
  readonly manifest: Manifest
  /** The id of the key that the signature was verified with. */
  readonly signer: string
  /** Every revoked key, with those that this manifest adds. Remember them: an older release does not list them. */
  readonly revoked: readonly string[]
}

interface Signature {
  readonly id: string
  readonly bytes: Buffer
}

/** Verifies the signature, and only then reads the manifest. Raises E_RELEASE with the reason. */
export function readSigned(manifest: Uint8Array, signatures: Uint8Array, trust: Trust): SignedManifest {
  const signer = verifySignature(manifest, signatures, trust)
  const read = parseManifest(manifest)
  if (read.revoked.includes(signer))
    throw refused(`the release revokes the key that signed it (${signer})`, HINT_TELL)
  return { manifest: read, signer, revoked: [...new Set([...trust.revoked, ...read.revoked])] }
}

/** Returns the id of the first known, unrevoked key that signed these bytes. */
export function verifySignature(signed: Uint8Array, signatures: Uint8Array, trust: Trust): string {
  if (trust.keys.length === 0)
    throw refused('this coop knows no key that releases are signed with', {
      hint: 'it was built without keys (package.json, "coop"); install a published release',
    })
  const known = new Map(trust.keys.map((key) => [keyId(key), key]))
  const lines = parseSignatures(signatures)
  for (const { id, bytes } of lines) {
    const key = trust.revoked.includes(id) ? undefined : known.get(id)
    if (key !== undefined && verify(null, signed, publicKey(key), bytes)) return id
  }
  throw whyNot(lines, known, trust)
}

function whyNot(lines: readonly Signature[], known: ReadonlyMap<string, string>, trust: Trust): CoopError {
  const ids = lines.map(({ id }) => id)
  const tried = ids.find((id) => known.has(id) && !trust.revoked.includes(id))
  if (tried !== undefined)
    return refused(`the signature of ${MANIFEST_NAME} is wrong: the file is not what key ${tried} signed`, {
      hint: 'it may have been changed on its way; try again, or from another network',
    })
  const revoked = ids.find((id) => trust.revoked.includes(id))
  if (revoked !== undefined)
    return refused(`the release is signed with key ${revoked}, which was revoked`, HINT_TELL)
  return refused(`the release is signed with key ${ids[0]}, which this coop does not know`, {
    hint: `this coop knows ${[...known.keys()].join(' and ')}; a much newer release is installed with its install.sh`,
  })
}

const LINE = /^([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)$/

function parseSignatures(file: Uint8Array): Signature[] {
  const malformed = (problem: string) => refused(`${SIGNATURE_NAME} of the release ${problem}`, HINT_TELL)
  if (file.length > MAX_SIGNATURE_BYTES) throw malformed('is too large')
  const text = Buffer.from(file).toString('latin1')
  if (!text.endsWith('\n')) throw malformed(text === '' ? 'is empty' : 'was cut off')
  return text
    .slice(0, -1)
    .split('\n')
    .map((line, i) => {
      const [, id = '', base64 = ''] = LINE.exec(line) ?? []
      const bytes = Buffer.from(base64, 'base64')
      if (id === '' || bytes.toString('base64') !== base64)
        throw malformed(`has no signature in line ${i + 1}`)
      return { id, bytes }
    })
}

/** Returns a line of the signature file. */
export function printSignature(id: string, signature: Uint8Array): string {
  const line = `${id} ${Buffer.from(signature).toString('base64')}`
  if (!isKeyId(id) || !LINE.test(line)) throw new RangeError('no Ed25519 signature')
  return `${line}\n`
}

const HINT_TELL = { hint: 'do not install it; tell whoever publishes the release' }

const refused = (sentence: string, options: { hint: string }): CoopError =>
  new CoopError('E_RELEASE', sentence, options)
