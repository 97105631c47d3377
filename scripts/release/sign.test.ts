/** The shell script by which the workflow signs, beside what reads signatures. */
import { expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyId } from '../../src/release/keys.ts'
import { printManifest } from '../../src/release/manifest.ts'
import { readSigned } from '../../src/release/signature.ts'
import { makeKeys } from './keys.ts'

const digest = 'a'.repeat(64)
const manifest = printManifest({
  version: '0.2.0',
  commit: '0'.repeat(40),
  time: '2026-11-28T12:00:00Z',
  kernel: '5.13',
  revoked: [],
  binaries: new Map([['linux-x64', { size: 1, sha256: digest }]]),
  archives: [
    { target: 'linux-x64', packing: 'zstd', size: 1, sha256: digest, name: 'coop-0.2.0-linux-x64.zst' },
  ],
  notes: [],
})

const missing = ['node', 'openssl'].filter((name) => !Bun.which(name)).map((name) => ` [needs ${name}]`)

test.skipIf(missing.length > 0)(
  `the workflow’s signature is believed, and only keys of package.json sign${missing.join('')}`,
  () => {
    const top = mkdtempSync(join(tmpdir(), 'coop-sign-'))
    try {
      const [key = ''] = makeKeys(join(top, 'key.pem')).split('\n')
      const COOP_RELEASE_KEY = readFileSync(join(top, 'key.pem'), 'utf8')
      mkdirSync(join(top, 'release'))
      writeFileSync(join(top, 'release/manifest.txt'), manifest)
      const sign = (coop: { keys: string[]; revoked: string[] }) => {
        writeFileSync(join(top, 'package.json'), JSON.stringify({ coop }))
        const { exitCode, stderr } = Bun.spawnSync(['sh', join(import.meta.dir, 'sign.sh'), 'release'], {
          cwd: top,
          env: { PATH: process.env.PATH, TMPDIR: top, COOP_RELEASE_KEY },
        })
        return { exitCode, said: stderr.toString() }
      }
      for (const coop of [
        { keys: [], revoked: [] },
        { keys: [key], revoked: [keyId(key)] },
      ])
        expect(sign(coop)).toEqual({ exitCode: 1, said: expect.stringContaining(keyId(key)) })
      expect(sign({ keys: [key], revoked: [] })).toEqual({ exitCode: 0, said: '' })
      const signature = readFileSync(join(top, 'release/manifest.txt.sig'))
      expect(readSigned(manifest, signature, { keys: [key], revoked: [] }).manifest.version).toBe('0.2.0')
      expect([...new Bun.Glob('tmp.*').scanSync({ cwd: top, onlyFiles: false, dot: true })]).toEqual([])
    } finally {
      rmSync(top, { recursive: true })
    }
  },
)
