import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import type { Manifest } from '../release/manifest.ts'
import { afterNewest, readSeen, type Seen, withInstallers, writeSeen } from './seen.ts'

let paths: Paths
beforeEach(() => {
  const dataDir = mkdtempSync('/var/tmp/coop-seen-')
  paths = { dataDir, configDir: '', cacheDir: '', runtimeDir: '', logsDir: '' }
})
afterEach(() => rmSync(paths.dataDir, { recursive: true, force: true }))

const [KEY, ONE, TWO] = ['0123456789abcdef', '1111111111111111', '2222222222222222']
const seen: Seen = {
  time: '2026-11-02T12:00:00Z',
  newest: '0.2.0',
  revoked: [KEY],
  signers: [ONE],
  checked: 5,
}
const manifest = (time: string, version = '0.3.0'): Manifest => ({
  version,
  time,
  commit: '',
  kernel: '5.12',
  revoked: [],
  binaries: new Map(),
  archives: [],
  notes: [],
})

const by = (manifest: Manifest, revoked: readonly string[] = [], signer = ONE) => ({
  manifest,
  revoked,
  signer,
})

test('what was written is read, and nothing is known before', () => {
  expect(readSeen(paths)).toEqual({ time: '', newest: '', revoked: [], signers: [], checked: 0 })
  writeSeen(paths, seen)
  expect(readSeen(paths)).toEqual(seen)
})

test('an older manifest than the newest one is refused, the same and a newer one are not', () => {
  expect(() => afterNewest(seen, by(manifest('2026-11-02T11:59:59Z', '0.1.0')))).toThrow(
    /old list of releases: coop 0\.1\.0 of 2026-11-02, after coop 0\.2\.0 of 2026-11-02 was seen/,
  )
  expect(afterNewest(seen, by(manifest(seen.time, '0.2.0')))).toEqual(seen)
  expect(afterNewest(seen, by(manifest('2026-12-01T00:00:00Z'), ['fedcba9876543210']))).toEqual({
    time: '2026-12-01T00:00:00Z',
    newest: '0.3.0',
    revoked: [KEY, 'fedcba9876543210'],
    signers: [ONE],
    checked: 5,
  })
})

test('what install.sh has noted counts, too', () => {
  const text =
    'newest 2026-11-20T12:00:00Z 0.4.0\nrevoked fedcba9876543210\nrevoked x\nnewest z 1\nwhat else\n'
  const both = { ...seen, time: '2026-11-20T12:00:00Z', newest: '0.4.0', revoked: [KEY, 'fedcba9876543210'] }
  expect(withInstallers(seen, text)).toEqual(both)
  expect(withInstallers(both, 'newest 2026-11-19T12:00:00Z 0.5.0\n')).toEqual(both)
  writeSeen(paths, seen)
  writeFileSync(join(paths.dataDir, 'releases/installed'), text)
  expect(readSeen(paths)).toEqual(both)
})

test('what a stolen key has said does not count', () => {
  // It named a year in which nothing would be newer, and revoked the other key.
  const poisoned = { ...seen, time: '9999-01-01T00:00:00Z', newest: '99.0.0', revoked: [TWO] }
  writeSeen(paths, poisoned)
  expect(readSeen(paths)).toEqual(poisoned)
  expect(readSeen(paths, [ONE])).toEqual({ time: '', newest: '', revoked: [], signers: [], checked: 5 })
  writeSeen(paths, seen)
  const text = `newest 9999-01-01T00:00:00Z 99.0.0\nrevoked ${TWO}\nsigner ${ONE}\n`
  writeFileSync(join(paths.dataDir, 'releases/installed'), text)
  expect(readSeen(paths).revoked).toEqual([KEY, TWO])
  expect(readSeen(paths, [ONE]).revoked).toEqual([])
  // A coop of before learns it from the release that revokes the stolen key; what came before that is no measure.
  const rotation = { ...manifest('2026-12-01T00:00:00Z'), revoked: [ONE] }
  const far = { ...poisoned, revoked: [] }
  const after = afterNewest(far, by(rotation, [ONE], TWO))
  expect(after).toMatchObject({ time: '2026-12-01T00:00:00Z', revoked: [ONE], signers: [TWO] })
  // From then on time goes forward again, whatever install.sh had noted of the stolen key.
  expect(() => afterNewest(after, by({ ...rotation, time: '2026-11-30T00:00:00Z' }, [], TWO))).toThrow(
    'old list',
  )
  expect(withInstallers(after, text)).toEqual(after)
})

test.each([
  '',
  '{"version":1}',
  '{"version":1,"time":"x","newest":"","revoked":[]}',
  '{"version":1,"time":"","newest":"new","revoked":[]}',
  '{"version":1,"time":"","newest":"","revoked":["x"]}',
])('a damaged record is an error with the way out, not a fresh start: %s', (text) => {
  writeSeen(paths, seen)
  writeFileSync(join(paths.dataDir, 'releases/seen'), text)
  expect(() => readSeen(paths)).toThrow(/record of seen releases is damaged: .*releases\/seen/)
})

test('the record of a newer coop is not overwritten', () => {
  writeSeen(paths, seen)
  writeFileSync(join(paths.dataDir, 'releases/seen'), '{"version":2,"release":"9.0.0"}')
  expect(() => readSeen(paths)).toThrow(/was made by coop 9\.0\.0/)
})
