import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { numberInside } from '../box/freeze.ts'
import { boxDir, boxSnapshotsDir, snapshotDir, snapshotsDir } from '../core/paths.ts'
import { type TestPaths, testPaths } from '../disk/testing.ts'
import { readStored } from './kind.ts'
import { snapshotRecord } from './snapshot-record.ts'
import {
  beginSnapshot,
  clearHalfMadeSnapshots,
  discardSnapshot,
  findSnapshots,
  findUnknownSnapshots,
  finishSnapshot,
  hasSnapshot,
  readMeta,
  restoredDir,
} from './snapshots.ts'

const META = {
  version: 1,
  box: 'box',
  name: 'one',
  created: 1,
  workspace: '/w',
  image: 'host',
  size: 5,
  files: 'none',
  ids: {},
  below: { layers: [] },
}

const read = (text: string) => readStored(snapshotRecord, text)

test('a description that is whole is read', () => {
  expect(read(JSON.stringify(META))).toMatchObject({ is: 'readable', value: { name: 'one', size: 5 } })
})

test('one of a newer coop is named as that, and no other is hidden by it', () => {
  using paths = testPaths()
  take(paths, 'a', 'one', 10)
  take(paths, 'a', 'two', 20)
  const newer = JSON.stringify({ version: 2, release: '99.0.0' })
  writeFileSync(join(snapshotDir(paths, 'a', 'one'), 'snapshot.json'), newer)
  expect(() => readMeta(paths, 'a', 'one')).toThrow(/snapshot one of the box a was made by coop 99\.0\.0/)
  expect(found(paths)).toEqual(['a/two'])
  expect(findUnknownSnapshots(paths, 'a')).toMatchObject([{ name: 'one', note: 'made by coop 99.0.0' }])
  expect(hasSnapshot(paths, 'a', 'one')).toBe(true)
  expect(hasSnapshot(paths, 'a', 'three')).toBe(false)
})

test.each([
  '',
  'null',
  '[]',
  JSON.stringify({ ...META, version: 0 }),
  JSON.stringify({ ...META, name: '../x' }),
  JSON.stringify({ ...META, size: 'x' }),
])('anything else is none: %s', (text) => {
  expect(read(text)).toEqual({ is: 'unreadable' })
})

function take(paths: TestPaths, box: string, name: string, created: number): void {
  const ids = { kind: 'single', uids: [], gids: [] } as const
  const rest = { workspace: '/w', image: 'host', size: 5, files: 'none' } as const
  finishSnapshot(paths, beginSnapshot(paths, box, name), {
    ...rest,
    box,
    name,
    created,
    ids,
    below: { layers: [] },
  })
}
const found = (paths: TestPaths, box?: string): string[] =>
  findSnapshots(paths, box).map((meta) => `${meta.box}/${meta.name}`)

describe('snapshots on disk', () => {
  test('are there when they are whole, the oldest first', () => {
    using paths = testPaths()
    expect(found(paths)).toEqual([])
    take(paths, 'b', 'late', 30)
    take(paths, 'a', 'early', 10)
    take(paths, 'b', 'middle', 20)
    beginSnapshot(paths, 'a', 'unfinished')
    expect(found(paths)).toEqual(['a/early', 'b/middle', 'b/late'])
    expect(found(paths, 'b')).toEqual(['b/middle', 'b/late'])
    expect(readMeta(paths, 'a', 'unfinished')).toBeUndefined()
  })

  test('never replace one of the same name', () => {
    using paths = testPaths()
    take(paths, 'a', 'one', 10)
    writeFileSync(join(snapshotDir(paths, 'a', 'one'), 'kept'), '')
    expect(() => take(paths, 'a', 'one', 20)).toThrow()
    expect(readMeta(paths, 'a', 'one')?.created).toBe(10)
    expect(existsSync(join(snapshotDir(paths, 'a', 'one'), 'kept'))).toBe(true)
  })

  test('are looked for under names of boxes only', () => {
    using paths = testPaths()
    take(paths, 'a', 'one', 10)
    for (const [box, name] of [
      ['../snapshots/a', 'one'],
      ['a', '../a/one'],
      ['a', '.'],
      ['', 'a'],
    ] as const)
      expect(readMeta(paths, box, name)).toBeUndefined()
  })

  test('that are broken hide no others', () => {
    using paths = testPaths()
    take(paths, 'a', 'one', 10)
    take(paths, 'a', 'two', 20)
    writeFileSync(join(snapshotDir(paths, 'a', 'one'), 'snapshot.json'), '{')
    mkdirSync(join(boxSnapshotsDir(paths, 'a'), 'empty'))
    writeFileSync(join(snapshotsDir(paths), 'stray'), '')
    expect(found(paths)).toEqual(['a/two'])
  })

  test('that are removed leave no empty folder, and the others where they are', () => {
    using paths = testPaths()
    take(paths, 'a', 'one', 10)
    take(paths, 'a', 'two', 20)
    discardSnapshot(paths, snapshotDir(paths, 'a', 'one'), 'a')
    expect(found(paths)).toEqual(['a/two'])
    discardSnapshot(paths, snapshotDir(paths, 'a', 'two'), 'a')
    expect(readdirSync(snapshotsDir(paths))).toEqual([])
  })

  test('half made or half put back by a killed daemon are cleared, whole ones are not', () => {
    using paths = testPaths()
    take(paths, 'a', 'one', 10)
    beginSnapshot(paths, 'a', 'half')
    beginSnapshot(paths, 'b', 'half')
    mkdirSync(join(restoredDir(paths, 'a'), 'upper'), { recursive: true })
    writeFileSync(join(boxDir(paths, 'a'), 'box.json'), '{}')
    clearHalfMadeSnapshots(paths)
    expect(readdirSync(snapshotsDir(paths))).toEqual(['a'])
    expect(readdirSync(boxSnapshotsDir(paths, 'a'))).toEqual(['one'])
    expect(readdirSync(boxDir(paths, 'a'))).toEqual(['box.json'])
  })
})

test('the number of a process in its box is the second one', () => {
  expect(numberInside('Name:\tx\nNSpid:\t4711\t17\nNSpgid:\t1\t2\n')).toBe(17)
  expect(numberInside('NSpid:\t4711\t17\t3\n')).toBe(17)
  expect(numberInside('NSpid:\t4711\n')).toBeUndefined()
  expect(numberInside('NSpid:\t4711\t1\n')).toBeUndefined() // init itself
  expect(numberInside('Name:\tNSpid\n')).toBeUndefined()
})
