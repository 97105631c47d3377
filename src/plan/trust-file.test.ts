import { expect, test } from 'bun:test'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { trustFile } from '../core/paths.ts'
import { testPaths } from '../disk/testing.ts'
import { readStored, stamp } from '../store/kind.ts'
import { acceptedOf, recordOf, trustRecord } from '../store/trust-record.ts'
import { type AcceptedByFolder, withAccepted } from '../trust/accepted.ts'
import { readTrust, writeTrust } from './trust-file.ts'

const asks = [
  { key: 'nested', sentence: 'make sandboxes' },
  { key: 'env:A', sentence: 'have your variable A' },
]
const written = (accepted: AcceptedByFolder): AcceptedByFolder | undefined => {
  const found = readStored(trustRecord, stamp(trustRecord, recordOf(accepted)))
  return found.is === 'readable' ? acceptedOf(found.value) : undefined
}

test('what is written is read', () => {
  const once = withAccepted(new Map(), '/w', asks, 1)
  const twice = withAccepted(once, '/v', asks.slice(1), 2)
  expect(written(twice)).toEqual(twice)
})

test('a folder whose name is special to JavaScript is one like others', () => {
  const state = withAccepted(new Map(), '__proto__', asks, 1)
  expect(written(state)?.get('/w')).toBeUndefined()
})

test('one broken entry makes the whole file unreadable: nothing is half accepted', () => {
  for (const entry of ['1', '{}', '[{"key":"a"}]', '[{"key":1,"sentence":"x","since":0}]'])
    expect(readStored(trustRecord, `{"version":1,"folders":{"/w":${entry}}}`).is).toBe('unreadable')
  expect(readStored(trustRecord, '{"version":1,"folders":[]}').is).toBe('unreadable')
})

test('a damaged file is set aside, a newer one stays as it is, and neither accepts anything', () => {
  using paths = testPaths()
  mkdirSync(paths.dataDir, { recursive: true })
  const accepted = withAccepted(new Map(), '/w', asks, 1)
  writeTrust(paths, accepted)
  expect(readTrust(paths)).toEqual({ folders: accepted, note: '' })
  const newer = JSON.stringify({ version: trustRecord.version + 1, release: '99.0.0', folders: {} })
  writeFileSync(trustFile(paths), newer)
  expect(readTrust(paths).folders.size).toBe(0)
  expect(readTrust(paths).note).toContain('coop 99.0.0')
  expect(() => writeTrust(paths, accepted)).toThrow(/made by coop 99\.0\.0/)
  expect(readFileSync(trustFile(paths), 'utf8')).toBe(newer)
  writeFileSync(trustFile(paths), '{')
  expect(readTrust(paths).note).toContain('.unreadable')
  expect(readFileSync(`${trustFile(paths)}.unreadable`, 'utf8')).toBe('{')
})
