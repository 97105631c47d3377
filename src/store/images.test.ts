import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { imagesDir } from '../core/paths.ts'
import { testPaths } from '../disk/testing.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import {
  halfMadeLayers,
  hasLayer,
  type ImageRecord,
  ifUnlocked,
  layerDir,
  layerFolders,
  layersDir,
  listRecords,
  markUnsynced,
  readableRecord,
  readRecord,
  removeRecord,
  syncLayers,
  withLock,
  writeRecord,
} from './images.ts'
import { unusedLayers } from './unused.ts'

const IDS: IdPlan = {
  kind: 'single',
  uids: [{ inside: 0, outside: 7, count: 1 }],
  gids: [{ inside: 0, outside: 7, count: 1 }],
}
const CHAIN = `sha256:${'c'.repeat(64)}`

const record = (reference: string): ImageRecord => ({
  reference,
  digest: `sha256:${'d'.repeat(64)}`,
  config: {} as ImageRecord['config'],
  layers: [CHAIN],
  size: 1,
  pulled: 2,
})
const recordsIn = (paths: Parameters<typeof imagesDir>[0]): string => join(imagesDir(paths), 'records')

describe('a record', () => {
  test('is read by its whole reference, whatever is in it', () => {
    using paths = testPaths()
    const names = [
      'docker.io/library/debian:12',
      'docker.io/library/debian',
      '../../../etc/x',
      'UPPER',
      'upper',
    ]
    for (const name of names) writeRecord(paths, record(name))
    for (const name of names) expect(readRecord(paths, name)?.reference).toBe(name)
    expect(readdirSync(paths.dataDir)).toEqual(['images'])
    expect(listRecords(paths).map(({ reference }) => reference)).toEqual(
      names.toSorted((a, b) => a.localeCompare(b)),
    )
    removeRecord(paths, 'UPPER')
    removeRecord(paths, 'UPPER')
    expect(readRecord(paths, 'UPPER')).toBeUndefined()
    expect(readRecord(paths, 'upper')).toBeDefined()
  })

  test.each(['', '{"version":1', 'null', '{"version":1}', '{"version":0}'])(
    'that cannot be used is as if there were none: %j',
    (text) => {
      using paths = testPaths()
      writeRecord(paths, record('a'))
      writeRecord(paths, record('b'))
      const file = readdirSync(recordsIn(paths)).find((name) =>
        readFileSync(join(recordsIn(paths), name), 'utf8').includes('"b"'),
      )
      writeFileSync(join(recordsIn(paths), file ?? ''), text)
      expect(readRecord(paths, 'b')).toBeUndefined()
      expect(listRecords(paths).map(({ reference }) => reference)).toEqual(['a'])
    },
  )

  test('of a newer coop is named as that, and its layers are in use', () => {
    using paths = testPaths()
    writeRecord(paths, record('a'))
    const [name = ''] = readdirSync(recordsIn(paths))
    const newer = { version: 2, release: '99.0.0', layers: { top: CHAIN } }
    writeFileSync(join(recordsIn(paths), name), JSON.stringify(newer))
    expect(() => readRecord(paths, 'a')).toThrow(/image a was made by coop 99\.0\.0/)
    expect(readableRecord(paths, 'a')).toBeUndefined()
    const folder = layerDir(paths, IDS, CHAIN)
    mkdirSync(folder, { recursive: true })
    expect(unusedLayers(paths)).toEqual([])
    removeRecord(paths, 'a')
    expect(unusedLayers(paths)).toEqual([folder])
  })

  test('that another coop removes at this moment spoils no list', () => {
    using paths = testPaths()
    writeRecord(paths, record('a'))
    symlinkSync('gone', join(recordsIn(paths), `${'0'.repeat(64)}.json`)) // it is listed but cannot be opened
    expect(listRecords(paths).map(({ reference }) => reference)).toEqual(['a'])
  })

  test('of a machine without images: none', () => {
    using paths = testPaths()
    expect(listRecords(paths)).toEqual([])
    expect(layerFolders(paths)).toEqual([])
    expect(halfMadeLayers(paths)).toEqual([])
  })
})

describe('a layer', () => {
  test('is there when it is whole, and for those ids only', () => {
    using paths = testPaths()
    const folder = layerDir(paths, IDS, CHAIN)
    mkdirSync(join(folder, 'fs'), { recursive: true })
    expect(hasLayer(paths, IDS, CHAIN)).toBe(false)
    writeFileSync(join(folder, 'layer.json'), '{}')
    expect(hasLayer(paths, IDS, CHAIN)).toBe(true)
    // The same image unpacked for a user with a range: its files have other owners.
    expect(hasLayer(paths, { ...IDS, kind: 'range' }, CHAIN)).toBe(false)
    const others = { ...IDS, uids: [{ inside: 0, outside: 8, count: 1 }] }
    expect(hasLayer(paths, others, CHAIN)).toBe(false)
  })

  test('that the disk may not have is there until the machine starts anew', () => {
    using paths = testPaths()
    const folder = layerDir(paths, IDS, CHAIN)
    mkdirSync(join(folder, 'fs'), { recursive: true })
    writeFileSync(join(folder, 'layer.json'), '{}')
    markUnsynced(folder)
    expect(hasLayer(paths, IDS, CHAIN)).toBe(true)
    syncLayers(paths)
    expect(readdirSync(folder).sort()).toEqual(['fs', 'layer.json'])
    // As after a power cut: with another boot, or without the bytes that name it.
    for (const boot of ['7c6a18b4-8d0f-4a6e-9a37-0d1f5a2f9f10', '']) {
      writeFileSync(join(folder, 'unsynced'), boot)
      expect(hasLayer(paths, IDS, CHAIN)).toBe(false)
      syncLayers(paths)
      expect(hasLayer(paths, IDS, CHAIN)).toBe(false)
    }
  })

  test('that is half made is listed apart, by the name of its lock', () => {
    using paths = testPaths()
    const whole = layerDir(paths, IDS, CHAIN)
    const half = join(layersDir(paths, IDS), '.tmp-abc')
    for (const folder of [whole, half]) mkdirSync(folder, { recursive: true })
    expect(layerFolders(paths)).toEqual([whole])
    expect(halfMadeLayers(paths)).toEqual([{ path: half, name: 'abc' }])
  })
})

describe('the lock', () => {
  test('lets one at a time work, and tells the other once that it waits', async () => {
    using paths = testPaths()
    const log: string[] = []
    const inside = Promise.withResolvers<void>()
    const leave = Promise.withResolvers<void>()
    const first = withLock(
      paths,
      'x',
      () => log.push('first waits'),
      async () => {
        inside.resolve()
        await leave.promise
        log.push('first is done')
      },
    )
    await inside.promise
    const waits = Promise.withResolvers<void>()
    const second = withLock(
      paths,
      'x',
      () => {
        log.push('second waits')
        waits.resolve()
      },
      async () => void log.push('second works'),
    )
    await waits.promise
    await ifUnlocked(paths, 'x', async () => void log.push('a third came in'))
    leave.resolve()
    await Promise.all([first, second])
    expect(log).toEqual(['second waits', 'first is done', 'second works'])
  })

  test('of another name is another one', async () => {
    using paths = testPaths()
    const result = await withLock(
      paths,
      'x',
      () => {},
      () =>
        withLock(
          paths,
          'y',
          () => {},
          async () => 'both',
        ),
    )
    expect(result).toBe('both')
  })

  test('is given back when the work fails', async () => {
    using paths = testPaths()
    const failing = withLock(
      paths,
      'x',
      () => {},
      () => Promise.reject(new Error('it failed')),
    )
    expect(failing).rejects.toThrow('it failed')
    await failing.catch(() => {})
    let came = false
    await ifUnlocked(paths, 'x', async () => {
      came = true
    })
    expect(came).toBe(true)
    expect(existsSync(join(imagesDir(paths), 'locks/x'))).toBe(true)
  })
})
