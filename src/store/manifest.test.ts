import { describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { boxDir, boxesDir, manifestFile } from '../core/paths.ts'
import { LONG, testPaths, withoutRoom } from '../disk/testing.ts'
import { planOf } from '../sandbox/testing.ts'
import {
  findManifests,
  MANIFEST_VERSION,
  type Manifest,
  parseManifest,
  writeAtomically,
  writeManifest,
} from './manifest.ts'

const manifest = (name = 'it'): Manifest => ({
  version: MANIFEST_VERSION,
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
  waiting: undefined,
  notify: '',
})

describe('a file that is replaced', () => {
  test('is the old one when the disk gets full in the middle, and nothing else is left', () => {
    using paths = testPaths()
    const file = join(paths.top, 'box.json')
    writeFileSync(file, 'old')
    const said = withoutRoom(
      paths.top,
      import.meta.dir,
      `import { writeAtomically } from './manifest.ts'
       try { writeAtomically(${JSON.stringify(file)}, 'x'.repeat(${LONG.length}), true) } catch (error) { console.log(error.code) }`,
    )
    expect(said).toBe('EFBIG')
    expect(readFileSync(file, 'utf8')).toBe('old')
    expect(readdirSync(paths.top).toSorted()).toEqual(['box.json', 'script.ts'])
  })

  test('is whole otherwise, for its owner only', () => {
    using paths = testPaths()
    const file = join(paths.top, 'box.json')
    writeAtomically(file, LONG, true)
    expect(readFileSync(file, 'utf8')).toBe(LONG)
    expect(Bun.file(file).size).toBe(LONG.length)
    expect(readdirSync(paths.top)).toEqual(['box.json'])
  })
})

describe('a manifest', () => {
  test('is read as it was written', () => {
    using paths = testPaths()
    mkdirSync(boxDir(paths, 'it'), { recursive: true })
    const written = manifest()
    writeManifest(paths, written)
    const [found] = findManifests(paths)
    expect(found?.manifest).toEqual(JSON.parse(JSON.stringify(written)))
  })

  const whole = JSON.stringify(manifest())
  test.each([
    ['nothing', ''],
    ['half of one', whole.slice(0, -20)],
    ['null', 'null'],
    ['a list', '[]'],
    ['one of another version', JSON.stringify({ ...manifest(), version: MANIFEST_VERSION + 1 })],
    ['one without a name', JSON.stringify({ ...manifest(), name: 7 })],
    ['one without a plan', JSON.stringify({ ...manifest(), plan: {} })],
    ['one without notes', JSON.stringify({ ...manifest(), plan: { ...manifest().plan, notes: undefined } })],
    ['one without terminals', JSON.stringify({ ...manifest(), ptys: {} })],
    ['one without commands', JSON.stringify({ ...manifest(), commands: undefined })],
  ])('is not taken from a file that is %s', (_, text) => {
    expect(parseManifest(text)).toBeUndefined()
  })

  test('positive control: the whole one is', () => {
    expect(parseManifest(whole)?.name).toBe('it')
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
    writeFileSync(manifestFile(paths, 'other'), JSON.stringify(manifest('good'))) // a copy of another box's
    mkdirSync(manifestFile(paths, 'folder'))
    symlinkSync('nowhere', manifestFile(paths, 'link'))
    const found = findManifests(paths).map(({ name, manifest }) => [name, manifest !== undefined])
    expect(Object.fromEntries(found)).toEqual({
      good: true,
      empty: false,
      broken: false,
      other: false,
      folder: false,
      link: false,
    })
    expect(readdirSync(boxesDir(paths))).toHaveLength(6)
  })
})
