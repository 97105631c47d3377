/** A box swaps a folder of its persistent files for a link, over and over, while coop reads and writes there. */
import { expect, test } from 'bun:test'
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readInside } from '../../ffi/small-file.ts'
import { type TestPaths, testPaths } from '../disk/testing.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { writeSetting } from './storage.ts'

const MINE: IdPlan = { kind: 'single', uids: [], gids: [] }
const MOST_MS = 25_000 // until the race is hit: on a busy machine neither process runs for long
const SWAP = `
import ctypes
libc = ctypes.CDLL(None)
while True: libc.syscall(${process.arch === 'arm64' ? 276 : 316}, -100, b"deep", -100, b"link", 2)
`

interface Place {
  readonly volume: string
  readonly outside: string
}

/** The first round in which `step` reports an escape; undefined if none does. */
function raced(paths: TestPaths, rounds: number, step: (place: Place) => boolean): number | undefined {
  const place = { volume: join(paths.top, 'volume'), outside: join(paths.top, 'outside') }
  for (const folder of [place.volume, place.outside, join(place.volume, 'deep')]) mkdirSync(folder)
  writeFileSync(join(place.outside, 'secret'), 'SECRET')
  writeFileSync(join(place.volume, 'deep/secret'), 'mine')
  symlinkSync(place.outside, join(place.volume, 'link'))
  const swapper = Bun.spawn(['python3', '-c', SWAP], {
    cwd: place.volume,
    stdout: 'ignore',
    stderr: 'ignore',
  })
  try {
    const began = performance.now()
    for (let round = 0; round < rounds && performance.now() - began < MOST_MS; round++) {
      try {
        if (step(place)) return round
      } catch {
        // The link was there, and was refused.
      }
    }
    return undefined
  } finally {
    swapper.kill('SIGKILL')
  }
}

/** By path: the type is checked before the path is used. */
const isFolder = (path: string): boolean => lstatSync(path).isDirectory()

const hasGotOut = ({ outside }: Place): boolean => readdirSync(outside).length > 1

test.skipIf(!Bun.which('python3'))(
  'no setting is written where a link leads',
  () => {
    using control = testPaths()
    const lost = raced(control, Number.POSITIVE_INFINITY, (place) => {
      if (isFolder(join(place.volume, 'deep'))) writeFileSync(join(place.volume, 'deep/new'), 'x')
      return hasGotOut(place)
    })
    expect(lost).toBeNumber()
    using paths = testPaths()
    const rounds = Math.max(5_000, 3 * (lost ?? 0))
    const got = raced(paths, rounds, (place) => {
      writeSetting(place.volume, 'deep/new', 'x', MINE)
      return hasGotOut(place)
    })
    expect(got).toBeUndefined()
    expect(readdirSync(join(paths.top, 'outside'))).toEqual(['secret'])
  },
  60_000,
)

test.skipIf(!Bun.which('python3'))(
  'no file is read where a link leads',
  () => {
    using control = testPaths()
    const lost = raced(control, Number.POSITIVE_INFINITY, ({ volume }) => {
      return isFolder(join(volume, 'deep')) && readFileSync(join(volume, 'deep/secret'), 'utf8') === 'SECRET'
    })
    expect(lost).toBeNumber()
    using paths = testPaths()
    let mine = 0
    const got = raced(paths, Math.max(5_000, 3 * (lost ?? 0)), ({ volume }) => {
      const text = Buffer.from(readInside(volume, 'deep/secret', 100) ?? []).toString()
      if (text === 'mine') mine++
      return text === 'SECRET'
    })
    expect(got).toBeUndefined()
    expect(mine).toBeGreaterThan(0)
  },
  60_000,
)
