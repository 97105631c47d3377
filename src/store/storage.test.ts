import { describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { boxDir, imagesDir, upperDir, volumesDir, workDir } from '../core/paths.ts'
import { testPaths } from '../disk/testing.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { planOf } from '../sandbox/testing.ts'
import {
  clearHalfMade,
  discardStore,
  diskError,
  emptyTrash,
  makeBoxFolder,
  persistentFolder,
  prepareStore,
  writeSetting,
} from './storage.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o7777
const MINE: IdPlan = { kind: 'single', uids: [], gids: [] } // root of the box is the user who runs this test

function caught(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

describe('the folders of a box', () => {
  test('are there before it is, with the modes that were meant, whatever the umask', () => {
    using paths = testPaths()
    makeBoxFolder(paths, 'it')
    const before = process.umask(0o077)
    try {
      prepareStore(paths, planOf())
      expect(process.umask()).toBe(0o077)
    } finally {
      process.umask(before)
    }
    for (const top of [upperDir(paths, 'it'), workDir(paths, 'it')])
      for (const name of ['root', 'usr', 'etc']) {
        expect(modeOf(join(top, name))).toBe(0o755)
        expect(readdirSync(join(top, name))).toEqual([])
      }
    prepareStore(paths, planOf())
  })

  test('have one folder for each name', () => {
    using paths = testPaths()
    makeBoxFolder(paths, 'it')
    expect(modeOf(boxDir(paths, 'it'))).toBe(0o711) // root of the box can pass through, but nobody can list it
    expect(caught(() => makeBoxFolder(paths, 'it'))).toMatchObject({ code: 'E_BOX_EXISTS' })
  })
})

describe('a persistent folder', () => {
  test('is seeded when it is new, privately, and then is the box’s', () => {
    using paths = testPaths()
    const program = join(paths.top, 'program')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o644 })
    let seeded = 0
    const make = (): string =>
      persistentFolder(paths, 'key', '.claude', MINE, () => {
        seeded++
        return [
          { path: 'deep/er/settings.json', text: '{}' },
          { path: 'hook', source: program, executable: true },
        ]
      })
    const path = make()
    expect(readFileSync(join(path, 'deep/er/settings.json'), 'utf8')).toBe('{}')
    expect(
      [path, join(path, 'deep'), join(path, 'deep/er/settings.json'), join(path, 'hook')].map(modeOf),
    ).toEqual([0o700, 0o700, 0o600, 0o700])
    writeFileSync(join(path, 'deep/er/settings.json'), 'by the box')
    expect(make()).toBe(path)
    expect(seeded).toBe(1)
    expect(readFileSync(join(path, 'deep/er/settings.json'), 'utf8')).toBe('by the box')
  })

  test('that could not be seeded is not there, so that it is tried again', () => {
    using paths = testPaths()
    const failing = () =>
      persistentFolder(paths, 'key', '.claude', MINE, () => [
        { path: 'gone', source: join(paths.top, 'gone'), executable: false },
      ])
    expect(failing).toThrow('ENOENT')
    clearHalfMade(paths)
    expect(readdirSync(volumesDir(paths))).toEqual([])
    expect(existsSync(persistentFolder(paths, 'key', '.claude', MINE, () => []))).toBe(true)
  })

  test('keeps what is whole when a killed daemon’s rest is cleared', () => {
    using paths = testPaths()
    const path = persistentFolder(paths, 'key', 'kept', MINE, () => [])
    mkdirSync(join(volumesDir(paths), '.half.123/x'), { recursive: true })
    mkdirSync(join(imagesDir(paths), '.host-1.123/x'), { recursive: true })
    clearHalfMade(paths)
    expect(readdirSync(volumesDir(paths))).toEqual([path.slice(volumesDir(paths).length + 1)])
    expect(readdirSync(imagesDir(paths))).toEqual([])
  })
})

describe('a setting that is rewritten', () => {
  const volumeOf = (paths: { readonly top: string }): string => {
    const volume = join(paths.top, 'volume')
    mkdirSync(volume)
    return volume
  }

  test('replaces what the box has put there, privately, with the folders that lead to it', () => {
    using paths = testPaths()
    const volume = volumeOf(paths)
    for (const text of ['{}', '{"longer":1}']) {
      writeSetting(volume, 'deep/er/settings.json', text, MINE)
      expect(readFileSync(join(volume, 'deep/er/settings.json'), 'utf8')).toBe(text)
    }
    expect(['deep', 'deep/er', 'deep/er/settings.json'].map((name) => modeOf(join(volume, name)))).toEqual([
      0o700, 0o700, 0o600,
    ])
    expect(readdirSync(join(volume, 'deep/er'))).toEqual(['settings.json'])
  })

  test('leaves a link alone, in its own place and on the way', () => {
    using paths = testPaths()
    const volume = volumeOf(paths)
    const victim = join(paths.top, 'victim')
    mkdirSync(victim)
    writeFileSync(join(victim, 'settings.json'), 'precious')
    symlinkSync(join(victim, 'settings.json'), join(volume, 'settings.json'))
    symlinkSync('../victim', join(volume, 'deep'))
    writeSetting(volume, 'settings.json', '{}', MINE)
    for (const name of ['settings.json', 'new.json', 'folder/new.json'])
      expect(() => writeSetting(volume, `deep/${name}`, '{}', MINE)).toThrow(/ELOOP|ENOTDIR/)
    expect(readdirSync(victim)).toEqual(['settings.json'])
    expect(readFileSync(join(victim, 'settings.json'), 'utf8')).toBe('precious')
    expect(readlinkSync(join(volume, 'deep'))).toBe('../victim')
  })

  test('leaves nothing behind where it cannot be', () => {
    using paths = testPaths()
    const volume = volumeOf(paths)
    mkdirSync(join(volume, 'settings.json/a folder'), { recursive: true })
    expect(() => writeSetting(volume, 'settings.json', '{}', MINE)).toThrow()
    expect(readdirSync(volume)).toEqual(['settings.json'])
  })
})

describe('what is discarded', () => {
  test('is gone from its place at once, and from the disk later, whatever modes the box gave it', () => {
    using paths = testPaths()
    makeBoxFolder(paths, 'it')
    const closed = join(boxDir(paths, 'it'), 'work/root/work')
    mkdirSync(closed, { recursive: true })
    const outside = join(paths.top, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), '')
    symlinkSync(outside, join(boxDir(paths, 'it'), 'link'))
    writeFileSync(join(closed, 'file'), '')
    chmodSync(closed, 0)
    discardStore(paths, 'it')
    expect(existsSync(boxDir(paths, 'it'))).toBe(false)
    makeBoxFolder(paths, 'it') // the name is free again
    expect(emptyTrash(paths)).toEqual([])
    expect(readdirSync(join(paths.dataDir, 'trash'))).toEqual([])
    expect(readdirSync(outside)).toEqual(['kept'])
    expect(existsSync(boxDir(paths, 'it'))).toBe(true)
  })

  test('twice under one name does not clash, and nothing at all is no error', () => {
    using paths = testPaths()
    for (let i = 0; i < 3; i++) {
      makeBoxFolder(paths, 'it')
      discardStore(paths, 'it')
      discardStore(paths, 'it')
    }
    expect(readdirSync(join(paths.dataDir, 'trash'))).toHaveLength(3)
    expect(emptyTrash(paths)).toEqual([])
  })

  test('without anything discarded ever there is nothing to empty', () => {
    using paths = testPaths()
    expect(emptyTrash(paths)).toEqual([])
  })
})

test.each([
  ['ENOSPC', 'E_DISK_FULL', /larger disk/],
  ['EDQUOT', 'E_DISK_FULL', /larger disk/],
  ['EROFS', 'E_FAILED', /folder that you can write/],
  ['EACCES', 'E_FAILED', /folder that you can write/],
])('%s is worded for a person', (code, expected, hint) => {
  const error = diskError(Object.assign(new Error('x'), { code }), 'it')
  expect(error).toBeInstanceOf(CoopError)
  expect(error).toMatchObject({ code: expected, hint: expect.stringMatching(hint) })
})

test('any other error stays what it is', () => {
  const error = new Error('x')
  expect(diskError(error, 'it')).toBe(error)
})
