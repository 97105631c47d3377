/**
 * The certificate authorities that this machine trusts. Bun knows only those of Mozilla, so a company's own, which its
 * administrator has added to the system's bundle, must be given to it.
 */
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'

/** Where distributions keep their bundle, with added authorities in it (crypto/x509/root_linux.go has the same list). */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Arch, Alpine, NixOS
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', // Fedora from 43 on
  '/etc/ssl/cert.pem', // Alpine without ca-certificates
]

/** Variables that name a file: the first replaces the system's bundle (OpenSSL), the second adds to it (Node). */
type Environment = Readonly<Record<string, string | undefined>>

/** Returns the texts of the authorities' files. Raises E_CONFIG for a file that a variable names and nobody can read. */
export function authorities(env: Environment, bundles: readonly string[] = BUNDLES): readonly string[] {
  const named = env.SSL_CERT_FILE
  const all = named ? [fileOf('SSL_CERT_FILE', named)] : systemBundle(bundles)
  const extra = env.NODE_EXTRA_CA_CERTS
  return extra ? [...all, fileOf('NODE_EXTRA_CA_CERTS', extra)] : all
}

function systemBundle(bundles: readonly string[]): readonly string[] {
  for (const bundle of bundles) {
    const text = certificatesIn(bundle)
    if (text !== undefined) return [text]
  }
  return rootCertificates // a machine without any, such as a small container
}

/** Undefined if the file is not there, or holds no certificate. */
function certificatesIn(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    return text.includes('-----BEGIN ') ? text : undefined
  } catch {
    return undefined
  }
}

function fileOf(variable: string, path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN ')) return text
  } catch (error) {
    throw new CoopError('E_CONFIG', `${variable} names ${path}, which cannot be read (${errnoOf(error)})`, {
      hint: `correct ${variable}, or unset it`,
      cause: error,
    })
  }
  throw new CoopError('E_CONFIG', `${variable} names ${path}, which has no certificate in PEM form`, {
    hint: `correct ${variable}, or unset it`,
  })
}
