import { expect, test } from 'bun:test'
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { CoopError } from '../core/errors.ts'
import { isKey, keyId, printKey, publicKey } from './keys.ts'
import { archiveName, type Manifest, printManifest } from './manifest.ts'
import { printSignature, readSigned, type Trust, verifySignature } from './signature.ts'

function makeKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const text = printKey(publicKey)
  const signed = (bytes: Uint8Array) => printSignature(keyId(text), sign(null, bytes, privateKey))
  return { text, id: keyId(text), sign: (bytes: Uint8Array) => new TextEncoder().encode(signed(bytes)) }
}

const [first, next, strange] = [makeKey(), makeKey(), makeKey()]
const trust: Trust = { keys: [first.text, next.text], revoked: [] }

const manifestOf = (version: string, revoked: readonly string[] = []): Manifest => ({
  version,
  commit: 'c'.repeat(40),
  time: '2026-11-28T12:00:00Z',
  kernel: '5.13',
  revoked,
  binaries: new Map([['linux-x64', { size: 5, sha256: 'a'.repeat(64) }]]),
  archives: [
    {
      ...{ target: 'linux-x64', packing: 'gzip', size: 4, sha256: 'b'.repeat(64) },
      name: archiveName(version, 'linux-x64', 'gzip'),
    } as const,
  ],
  notes: [],
})
const bytes = printManifest(manifestOf('0.2.0'))

function refusal(work: () => unknown): { message: string; hint: string } {
  try {
    work()
  } catch (error) {
    if (error instanceof CoopError && error.code === 'E_RELEASE' && error.hint)
      return { message: error.message, hint: error.hint }
    throw error
  }
  return { message: 'accepted', hint: '' }
}

const joined = (...files: Uint8Array[]) => new Uint8Array(Buffer.concat(files))

test('the first key and the next one are believed', () => {
  expect(readSigned(bytes, first.sign(bytes), trust).signer).toBe(first.id)
  expect(readSigned(bytes, next.sign(bytes), trust)).toMatchObject({ signer: next.id, revoked: [] })
  expect(readSigned(bytes, joined(strange.sign(bytes), first.sign(bytes)), trust).signer).toBe(first.id)
})

test('every changed bit is noticed, in the manifest and in the signature', () => {
  const signature = first.sign(bytes)
  for (const bit of Array.from({ length: bytes.length * 8 }).keys()) {
    if (bit % 5 !== 0) continue // every byte comes up; all bits take half a second
    const changed = bytes.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(refusal(() => verifySignature(changed, signature, trust)).message).toContain('is wrong')
  }
  for (const at of signature.keys())
    for (const bit of [1, 2, 64]) {
      const changed = signature.slice()
      changed[at] = (changed[at] ?? 0) ^ bit
      expect(refusal(() => verifySignature(bytes, changed, trust)).message).not.toBe('accepted')
    }
  expect(refusal(() => verifySignature(bytes.slice(0, -1), signature, trust)).message).toContain('is wrong')
})

test('the signature is verified before the manifest is read', () => {
  const nonsense = new TextEncoder().encode('coop-release 7\n')
  expect(refusal(() => readSigned(nonsense, strange.sign(nonsense), trust)).message).toContain(
    'does not know',
  )
  expect(refusal(() => readSigned(nonsense, first.sign(nonsense), trust)).message).toContain('format 7')
})

test('the signature of another release is wrong for this one', () => {
  const other = printManifest(manifestOf('0.3.0'))
  expect(refusal(() => readSigned(bytes, first.sign(other), trust)).message).toContain('is wrong')
})

test('an unknown key, a name of a known key on a strange signature, no key at all', () => {
  const unknown = refusal(() => readSigned(bytes, strange.sign(bytes), trust))
  expect(unknown.message).toContain(`key ${strange.id}, which this coop does not know`)
  expect(unknown.hint).toContain(`${first.id} and ${next.id}`)
  const lie = new TextEncoder().encode(
    new TextDecoder().decode(strange.sign(bytes)).replace(strange.id, first.id),
  )
  expect(refusal(() => readSigned(bytes, lie, trust)).message).toContain('is wrong')
  expect(refusal(() => readSigned(bytes, first.sign(bytes), { keys: [], revoked: [] })).message).toContain(
    'knows no key',
  )
})

test('a revoked key is refused, and the other one still counts', () => {
  const after: Trust = { ...trust, revoked: [first.id] }
  expect(refusal(() => readSigned(bytes, first.sign(bytes), after)).message).toContain(
    `key ${first.id}, which was revoked`,
  )
  expect(readSigned(bytes, next.sign(bytes), after).signer).toBe(next.id)
  expect(readSigned(bytes, joined(first.sign(bytes), next.sign(bytes)), after).signer).toBe(next.id)
})

test('rotation: the next key revokes the first, which is refused from then on', () => {
  const before = readSigned(bytes, first.sign(bytes), trust)
  expect(before.revoked).toEqual([])
  const rotation = printManifest(manifestOf('0.3.0', [first.id]))
  const { revoked, signer } = readSigned(rotation, next.sign(rotation), { ...trust, revoked: before.revoked })
  expect({ revoked, signer }).toEqual({ revoked: [first.id], signer: next.id })
  const late = printManifest(manifestOf('0.4.0'))
  expect(refusal(() => readSigned(late, first.sign(late), { ...trust, revoked })).message).toContain(
    'was revoked',
  )
  expect(readSigned(late, next.sign(late), { ...trust, revoked }).revoked).toEqual([first.id])
})

test('a key cannot revoke itself, so that a release is never both believed and not', () => {
  const odd = printManifest(manifestOf('0.3.0', [first.id]))
  expect(refusal(() => readSigned(odd, first.sign(odd), trust)).message).toContain(
    'revokes the key that signed it',
  )
})

test('odd signature files are refused with a reason', () => {
  const good = new TextDecoder().decode(first.sign(bytes))
  const odd: [string, string][] = [
    ['', 'is empty'],
    ['\n', 'line 1'],
    [good.trimEnd(), 'cut off'],
    [`${good}\n`, 'line 2'],
    [good.replace(' ', '  '), 'line 1'],
    [good.replace('\n', '\r\n'), 'line 1'],
    [good.toUpperCase(), 'line 1'],
    [good.replace('==', ''), 'line 1'],
    [`${first.id} ${'A'.repeat(85)}B==\n`, 'line 1'], // spare bits set: a second spelling of the same bytes
    [good.repeat(60), 'too large'],
    ['<html>404</html>\n', 'line 1'],
  ]
  for (const [text, reason] of odd)
    expect(refusal(() => readSigned(bytes, new TextEncoder().encode(text), trust)).message).toContain(reason)
})

test('keys have one spelling, the id is a digest, and PEM of openssl is the same key', () => {
  expect(isKey(first.text)).toBeTrue()
  const wrong = [
    '',
    'AAAA',
    first.text.slice(0, -1),
    `${first.text}=`,
    first.text.replace(/.=$/, '_='),
    'x'.repeat(44),
  ]
  expect(wrong.filter(isKey)).toEqual([])
  expect(() => keyId('nonsense')).toThrow(RangeError)
  const raw = Buffer.from(first.text, 'base64')
  expect(first.id).toBe(createHash('sha256').update(raw).digest('hex').slice(0, 16))
  const pem = publicKey(first.text).export({ format: 'pem', type: 'spki' })
  expect(printKey(createPublicKey(pem))).toBe(first.text)
  expect(() => printKey(generateKeyPairSync('x25519').publicKey)).toThrow(RangeError)
})
