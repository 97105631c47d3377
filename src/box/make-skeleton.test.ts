import { expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { imagesDir } from '../core/paths.ts'
import { testPaths } from '../disk/testing.ts'
import { hostFacts } from '../host/facts.ts'
import { findSkeleton, skeletonName } from '../plan/skeleton.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { ensureSkeleton, writeSkeleton } from './make-skeleton.ts'

const SLOW_MS = 30_000 // some thousand calls, on a machine with other tests
const MINE: IdPlan = { kind: 'single', uids: [], gids: [] } // root of the box is the user who runs this test
const modeOf = (path: string): number => statSync(path).mode & 0o7777

function isOpaque(path: string): boolean {
  const name = 'user.overlay.opaque'
  const { stdout } = Bun.spawnSync(['getfattr', '--only-values', '-n', name, path], { stderr: 'ignore' })
  return stdout.toString() === 'y'
}

test('folders, links and files get their modes, whatever the umask; a closed folder is opaque or not there', () => {
  using paths = testPaths()
  const from = join(paths.top, 'of-the-host')
  mkdirSync(from)
  writeSkeleton(
    paths.top,
    {
      folders: [
        { path: 'etc', mode: 0o755 },
        { path: 'etc/private', mode: 0o710, opaque: true },
      ],
      whiteouts: ['etc/hidden'],
      links: [{ path: 'etc/link', to: 'elsewhere' }],
      files: [
        { path: 'etc/lock', mode: 0o640, text: '' },
        { path: 'etc/gone', mode: 0o644, from: join(from, 'gone') },
      ],
    },
    MINE,
  )
  expect(modeOf(join(paths.top, 'etc/lock'))).toBe(0o640)
  expect(existsSync(join(paths.top, 'etc/gone'))).toBe(false)
  expect(statSync(join(paths.top, 'etc/hidden'))).toMatchObject({ rdev: 0, size: 0 })
  expect(statSync(join(paths.top, 'etc/hidden')).isCharacterDevice()).toBe(true)
  const closed = join(paths.top, 'etc/private')
  if (existsSync(closed) && Bun.which('getfattr')) expect(isOpaque(closed)).toBe(true)
})

test(
  'a skeleton is made once, whole, and the host’s packages are copied into it',
  () => {
    using paths = testPaths()
    const host = hostFacts('/nowhere')
    expect(findSkeleton(host, paths)).toBeUndefined()
    ensureSkeleton(host, paths)
    const root = findSkeleton(host, paths)?.get('root')?.path ?? ''
    expect(modeOf(join(root, 'tmp'))).toBe(0o1777)
    const status = '/var/lib/dpkg/status'
    if (existsSync(status))
      expect(readFileSync(join(root, '../usr/lib/coop/dpkg/status'), 'utf8')).toBe(
        readFileSync(status, 'utf8'),
      )
    ensureSkeleton(host, paths)
    expect(readdirSync(imagesDir(paths))).toHaveLength(1)

    // Somebody removes coop's data while the daemon runs. The old folder stays elsewhere, so that its inode does.
    renameSync(imagesDir(paths), join(paths.top, 'old'))
    ensureSkeleton(host, paths)
    const again = findSkeleton(host, paths)?.get('root')
    expect(again?.path).toBe(root)
    expect(again?.inode).toBe(statSync(root).ino)
  },
  SLOW_MS,
)

test(
  'skeletons of earlier states go, but for the newest and those of boxes',
  () => {
    using paths = testPaths()
    const host = hostFacts('/nowhere')
    const images = imagesDir(paths)
    for (const [age, name] of ['host-1', 'host-2', 'host-3'].entries()) {
      mkdirSync(join(images, name), { recursive: true })
      utimesSync(join(images, name), 1000 - age, 1000 - age)
    }
    ensureSkeleton(host, paths)
    expect(readdirSync(images).sort()).toEqual(['host-1', skeletonName(host)].sort())
    rmSync(images, { recursive: true })
  },
  SLOW_MS,
)
