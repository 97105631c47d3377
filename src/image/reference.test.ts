import { describe, expect, test } from 'bun:test'
import { CoopError } from '../core/errors.ts'
import { localReference, parseReference, printReference, shortReference } from './reference.ts'
import { random } from './unpack/testing.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`

describe('the full form of', () => {
  const full: Record<string, string> = {
    debian: 'docker.io/library/debian:latest',
    'debian:bookworm': 'docker.io/library/debian:bookworm',
    'docker.io/debian': 'docker.io/library/debian:latest',
    'index.docker.io/org/name': 'docker.io/org/name:latest',
    'org/name:1.2-x_y': 'docker.io/org/name:1.2-x_y',
    'ghcr.io/org/deep/name': 'ghcr.io/org/deep/name:latest',
    'localhost/name': 'localhost/name:latest',
    'localhost:5000/name:tag': 'localhost:5000/name:tag',
    'host:5000/name': 'host:5000/name:latest',
    '[::1]:5000/name': '[::1]:5000/name:latest',
    [`debian@${DIGEST}`]: `docker.io/library/debian@${DIGEST}`,
    [`ghcr.io/a/b:t@${DIGEST}`]: `ghcr.io/a/b:t@${DIGEST}`,
    host: 'host',
    'rootfs:../dir': 'rootfs:../dir',
    'oci:dir': 'oci:dir',
    'oci:/a/dir:tag': 'oci:/a/dir:tag',
    'oci-archive:f.tar:x': 'oci-archive:f.tar:x',
    'docker-archive:/a/f.tar:org/name:tag': 'docker-archive:/a/f.tar:org/name:tag',
  }
  for (const [text, expected] of Object.entries(full))
    test(text, () => {
      const printed = printReference(parseReference(text))
      expect(printed).toBe(expected)
      expect(printReference(parseReference(printed))).toBe(printed)
    })
})

test('docker.io/library is left out when people read it', () => {
  expect(shortReference('docker.io/library/debian:latest')).toBe('debian:latest')
  expect(shortReference('ghcr.io/a/b:c')).toBe('ghcr.io/a/b:c')
})

describe('refused', () => {
  const wrong = [
    '',
    'UPPER',
    'a b',
    'a//b',
    '/a',
    'a/',
    'a:',
    'a:b:c',
    'a@sha256:12',
    `a@${DIGEST}@${DIGEST}`,
  ]
  wrong.push(
    'a..b',
    '-a',
    'host:99999999/a',
    'host:0/a',
    '../../etc',
    'a/../b',
    'oci:',
    'rootfs:',
    'x\0',
    'é',
    `${'a'.repeat(300)}`,
  )
  wrong.push('user@host/a', 'http://host/a', 'docker://debian', 'host:5000:1/a', '.x/y', 'a?b/c.d')
  for (const text of wrong)
    test(JSON.stringify(text).slice(0, 40), () => {
      expect(() => parseReference(text)).toThrow(CoopError)
    })
})

test('any text is a reference that prints as itself, or an error of coop', () => {
  const below = random(3)
  const pieces = [
    'a',
    'B',
    '.',
    '/',
    ':',
    '@',
    DIGEST,
    '-',
    '_',
    '5000',
    'localhost',
    'oci:',
    '[::1]',
    ' ',
    '\0',
    'é',
    '%2f',
    '..',
  ]
  for (let round = 0; round < 20_000; round++) {
    let text = ''
    for (let n = below(8); n >= 0; n--) text += pieces[below(pieces.length)]
    try {
      const printed = printReference(parseReference(text))
      expect(printReference(parseReference(printed))).toBe(printed)
    } catch (error) {
      if (!(error instanceof CoopError)) throw error
    }
  }
})

test('names of images that are made here', () => {
  expect(localReference('with-tools')).toBe('localhost/with-tools:latest')
  expect(localReference('with-tools:2')).toBe('localhost/with-tools:2')
  expect(localReference('localhost/team/it:x')).toBe('localhost/team/it:x')
  for (const text of [
    'docker.io/it',
    'localhost:5000/it',
    `it@${DIGEST}`,
    'Upper',
    '',
    'oci:dir',
    'host/it',
    'coop-build:x',
  ])
    expect(() => localReference(text)).toThrow(CoopError)
})

test.each([
  ['docker://debian:bookworm', 'without docker://: debian:bookworm'],
  [`docker://ghcr.io/org/name@${DIGEST}`, `without docker://: ghcr.io/org/name@${DIGEST}`],
  ['docker.io://debian', 'without docker.io://: debian:latest'],
  ['https://docker.io/library/debian', 'without https://: debian:latest'],
  ['https://hub.docker.com/_/debian', 'without https://: debian:latest'],
  ['https://hub.docker.com/r/org/name/', 'without https://: org/name:latest'],
  ['http://localhost:5000/name:1', 'without http://: localhost:5000/name:1'],
  ['https://', 'for example'],
  ['https://example.com/a?b=c', 'for example'],
  ['./image.tar', 'docker-archive:./image.tar'],
  ['/srv/image', 'rootfs:'],
])('%s gets the right spelling as a hint', (text, hint) => {
  expect(() => parseReference(text)).toThrow(
    expect.objectContaining({ code: 'E_IMAGE', hint: expect.stringContaining(hint) }),
  )
})
