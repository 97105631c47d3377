import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { authorities } from './authorities.ts'

const PEM = (name: string) => `# ${name}\n-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`

function files() {
  const folder = mkdtempSync(join(tmpdir(), 'coop-authorities-'))
  const file = (name: string, text = PEM(name)): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return { folder, file, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

test('the first bundle that is there counts, with what NODE_EXTRA_CA_CERTS adds', () => {
  using f = files()
  const bundles = [join(f.folder, 'missing'), f.file('empty', ''), f.file('system'), f.file('other')]
  expect(authorities({}, bundles)).toEqual([PEM('system')])
  expect(authorities({ NODE_EXTRA_CA_CERTS: f.file('extra') }, bundles)).toEqual([
    PEM('system'),
    PEM('extra'),
  ])
})

test('SSL_CERT_FILE takes the place of the system’s bundle', () => {
  using f = files()
  const env = { SSL_CERT_FILE: f.file('mine'), NODE_EXTRA_CA_CERTS: f.file('extra') }
  expect(authorities(env, [f.file('system')])).toEqual([PEM('mine'), PEM('extra')])
})

test('without any bundle, those that are built in', () => {
  expect(authorities({}, [])).toEqual(rootCertificates)
})

test('a variable that names no certificates is an error, not a silent refusal of every server', () => {
  using f = files()
  expect(() => authorities({ SSL_CERT_FILE: join(f.folder, 'missing') })).toThrow(
    /SSL_CERT_FILE names .*missing, which cannot be read \(ENOENT\)/,
  )
  expect(() => authorities({ NODE_EXTRA_CA_CERTS: f.file('words', 'words') })).toThrow(
    /NODE_EXTRA_CA_CERTS names .*no certificate/,
  )
})
