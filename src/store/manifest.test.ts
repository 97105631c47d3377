import { describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { boxDir, boxesDir, manifestFile } from '../core/paths.ts'
import { testPaths } from '../disk/testing.ts'
import { planOf } from '../sandbox/testing.ts'
import { boxManifest } from './box-manifest.ts'
import { readStored, stamp } from './kind.ts'
import { findManifests, type Manifest, writeManifest } from './manifest.ts'

const manifest = (name = 'it'): Manifest => ({
  workspace: '/w',
  name,
  state: 'stopped',
  reason: undefined,
  created: 1,
  kind: 'agent',
  flags: {},
  plan: planOf({ name }),
  layered: undefined,
  boot: undefined,
  hidden: [],
  agent: { title: 'sh', command: ['sh'] },
  autoRestart: false,
  restartDelayMs: 0,
  shell: '/bin/sh',
  detachKey: 'ctrl-]',
  init: undefined,
  ptys: [],
  commands: [],
  doing: undefined,
  notify: '',
})

describe('a manifest', () => {
  test('is read as it was written', () => {
    using paths = testPaths()
    mkdirSync(boxDir(paths, 'it'), { recursive: true })
    const written = manifest()
    writeManifest(paths, written)
    const [found] = findManifests(paths)
    expect(found?.manifest).toEqual({ is: 'readable', value: JSON.parse(JSON.stringify(written)) })
  })

  const whole = stamp(boxManifest, manifest())
  const changed = (change: object): string => JSON.stringify({ ...JSON.parse(whole), ...change })
  test.each([
    ['nothing', ''],
    ['half of one', whole.slice(0, -20)],
    ['null', 'null'],
    ['a list', '[]'],
    ['one older than any release', changed({ version: 1 })],
    ['one without a version', changed({ version: undefined })],
    ['one without a name', changed({ name: 7 })],
    ['one without a plan', changed({ plan: {} })],
    ['one without notes', changed({ plan: { ...manifest().plan, notes: undefined } })],
    ['one without terminals', changed({ ptys: {} })],
    ['one without commands', changed({ commands: undefined })],
  ])('is not taken from a file that is %s', (_, text) => {
    expect(readStored(boxManifest, text)).toEqual({ is: 'unreadable' })
  })

  test('positive control: the whole one is', () => {
    expect(readStored(boxManifest, whole)).toMatchObject({ is: 'readable', value: { name: 'it' } })
  })

  test('of a newer coop is named as that', () => {
    const newer = changed({ version: boxManifest.version + 1, release: '99.0.0' })
    expect(readStored(boxManifest, newer)).toEqual({ is: 'newer', release: '99.0.0' })
  })
})

describe('boxes that are found', () => {
  test('none, when none was ever made', () => {
    using paths = testPaths()
    expect(findManifests(paths)).toEqual([])
  })

  test('each folder is one, so that one that cannot be read is reported and not forgotten', () => {
    using paths = testPaths()
    for (const name of ['good', 'empty', 'broken', 'other', 'folder', 'link'])
      mkdirSync(boxDir(paths, name), { recursive: true })
    writeManifest(paths, manifest('good'))
    writeFileSync(manifestFile(paths, 'broken'), '{"version":2,')
    writeFileSync(manifestFile(paths, 'other'), JSON.stringify(manifest('good'))) // a copy of another box's manifest
    mkdirSync(manifestFile(paths, 'folder'))
    symlinkSync('nowhere', manifestFile(paths, 'link'))
    const found = findManifests(paths).map(({ name, manifest }) => [name, manifest.is])
    expect(Object.fromEntries(found)).toEqual({
      good: 'readable',
      empty: 'missing',
      broken: 'unreadable',
      other: 'unreadable',
      folder: 'unreadable',
      link: 'missing',
    })
    expect(readdirSync(boxesDir(paths))).toHaveLength(6)
  })

  test('of 0.1.0, which knew of an agent only that it waits, say so in today’s words', () => {
    const { doing, ...rest } = { ...manifest(), waiting: { since: 5, text: 'may I?' } }
    const old = JSON.stringify({ ...rest, version: 2 })
    const read = readStored(boxManifest, old)
    const expected = { state: 'waiting', since: 5, text: 'may I?', from: 'signal' }
    expect(read).toMatchObject({ is: 'readable', value: { doing: expected } })
    expect(doing).toBeUndefined()
  })

  test('that 0.1.0 had set aside are found again', () => {
    using paths = testPaths()
    mkdirSync(boxDir(paths, 'it'), { recursive: true })
    writeFileSync(join(boxDir(paths, 'it'), 'box.json.unreadable'), stamp(boxManifest, manifest()))
    expect(findManifests(paths)).toMatchObject([{ name: 'it', manifest: { is: 'readable' } }])
    expect(readdirSync(boxDir(paths, 'it'))).toEqual(['box.json'])
  })
})
