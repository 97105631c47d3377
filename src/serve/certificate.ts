/** The self-signed certificate of `coop serve --tls`. It is kept, so that its fingerprint stays the one that people have compared. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { diskError } from '../store/storage.ts'

const DAYS = 820 // iOS refuses certificates that are valid for more than 825
const DAY_MS = 24 * 3600_000
const RENEW_MS = 30 * DAY_MS
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export interface Certificate {
  readonly cert: string
  readonly key: string
  /** SHA-256, as browsers show it: pairs of hex digits with colons. */
  readonly fingerprint: string
}

/** Returns the kept certificate, or makes one. Raises E_DISK_FULL and its like. */
export async function ownCertificate(paths: Paths, now = Date.now()): Promise<Certificate> {
  const file = join(paths.dataDir, 'serve', 'certificate.pem')
  return kept(file, now) ?? (await make(file, now))
}

/** One file has both, so that they always belong together. */
function kept(file: string, now: number): Certificate | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    const [cert = '', key = ''] = text.match(/-----BEGIN [\s\S]+?-----END [A-Z ]+-----\n/g) ?? []
    const parsed = new X509Certificate(cert)
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return undefined
    if (Date.parse(parsed.validTo) - now < RENEW_MS) return undefined
    return { cert, key, fingerprint: parsed.fingerprint256 }
  } catch {
    return undefined // there is none, or it is damaged
  }
}

async function make(file: string, now: number): Promise<Certificate> {
  await import('reflect-metadata') // which the library needs, and leaves to its users
  const x509 = await import('@peculiar/x509')
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const own = hostname()
  const names = [...new Set(['localhost', own, `${own.split('.')[0]}.local`])]
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString('hex'),
    name: [{ CN: [`coop on ${own}`] }],
    notBefore: new Date(now - DAY_MS), // clocks of phones differ
    notAfter: new Date(now + DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns', value }) as const),
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  })
  const cert = `${made.toString('pem').trimEnd()}\n`
  const key = pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
    writeAtomically(file, `${cert}${key}`, { sync: true })
  } catch (error) {
    throw diskError(error, 'the data folder of coop')
  }
  return { cert, key, fingerprint: new X509Certificate(cert).fingerprint256 }
}

function pem(kind: string, bytes: ArrayBuffer): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${kind}-----\n${lines.join('\n')}\n-----END ${kind}-----\n`
}
