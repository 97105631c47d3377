/** Measures how much of the disk coop's own folders take. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AT_FDCWD, S_IFDIR } from '../../ffi/abi/constants.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import * as tree from '../../ffi/tree.ts'
import { boxesDir, type Paths, snapshotsDir, volumesDir } from '../core/paths.ts'
import { layerFolders, listRecords } from '../store/images.ts'
import { findSnapshots } from '../store/snapshots.ts'
import { unusedLayers } from '../store/unused.ts'
import { boxUses } from '../store/usage.ts'

const SECTOR = 512 // bytes of stx_blocks
const MAX_DEPTH = 500 // folders in folders; each holds a descriptor

/**
 * Returns the bytes on disk; hard links count once. The result is a lower bound: folders that belong to other ids of a
 * box and are closed to coop do not count, nor does anything below MAX_DEPTH. A box may be writing there, so names are
 * looked up in open folders.
 */
export function treeSize(path: string, seen = new Set<bigint>()): number {
  let total = 0
  const visit = (dir: number, name: string, depth: number): void => {
    try {
      const stat = tree.statAt(dir, name)
      const isFolder = stat.type === S_IFDIR
      if (stat.nlink > 1 && !isFolder) {
        if (seen.has(stat.ino)) return
        seen.add(stat.ino)
      }
      total += Number(stat.blocks) * SECTOR
      if (!isFolder || depth === MAX_DEPTH) return
      const folder = tree.openFolder(dir, name)
      try {
        for (const names of tree.listNames(folder)) for (const below of names) visit(folder, below, depth + 1)
      } finally {
        closeDescriptor(folder)
      }
    } catch {
      // Closed to coop, or gone meanwhile.
    }
  }
  visit(AT_FDCWD, tree.pathBytes(path), 0) // the folder itself is coop's own
  return total
}

// The prefixes that storage.ts gives volumes and the logins of agents, beside the folders kept for each workspace.
const VOLUME = 'volume-'
const LOGIN = 'login-'
/** How a login is called among volumes: a name that no volume of the configuration can have. */
const LOGIN_NAME = 'login:'

export interface Volume {
  readonly name: string
  readonly path: string
  readonly usedBy: readonly string[]
  /** The login of an agent, which all boxes of this agent share. */
  readonly isLogin: boolean
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'))
  } catch {
    return []
  }
}

/** Lists the named volumes, and then the logins of agents. */
export function listVolumes(paths: Paths): Volume[] {
  const boxes = boxUses(paths)
  const names = namesIn(volumesDir(paths))
  const listed = (prefix: string, shown: string): Volume[] =>
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => {
        const path = join(volumesDir(paths), name)
        const users = boxes.filter(({ uses }) => uses(JSON.stringify(path)))
        const usedBy = users.map((box) => box.name)
        return { name: `${shown}${name.slice(prefix.length)}`, path, usedBy, isLogin: prefix === LOGIN }
      })
  return [...listed(VOLUME, ''), ...listed(LOGIN, LOGIN_NAME)]
}

export interface DiskUse {
  readonly kind: 'images' | 'downloads' | 'volumes' | 'logins' | 'persistent' | 'snapshots' | 'boxes'
  readonly count: number
  readonly bytes: number
  /** Bytes that `coop system clean --all` and `coop volume prune` would free. */
  readonly reclaimable: number
}

/** Returns the use by kind. */
export function diskUse(paths: Paths): DiskUse[] {
  const sum = (folders: readonly string[]): number => {
    const seen = new Set<bigint>()
    return folders.reduce((total, folder) => total + treeSize(folder, seen), 0)
  }
  const downloads = treeSize(join(paths.cacheDir, 'blobs'))
  const all = listVolumes(paths)
  const volumes = all.filter(({ isLogin }) => !isLogin)
  const logins = all.filter(({ isLogin }) => isLogin)
  const isKept = (name: string): boolean => !name.startsWith(VOLUME) && !name.startsWith(LOGIN)
  const kept = namesIn(volumesDir(paths)).filter(isKept)
  const boxes = namesIn(boxesDir(paths))
  return [
    {
      kind: 'images',
      count: listRecords(paths).length,
      bytes: sum(layerFolders(paths)),
      reclaimable: sum(unusedLayers(paths, true)),
    },
    {
      kind: 'downloads',
      count: namesIn(join(paths.cacheDir, 'blobs/sha256')).length,
      bytes: downloads,
      reclaimable: downloads,
    },
    {
      kind: 'volumes',
      count: volumes.length,
      bytes: sum(volumes.map(({ path }) => path)),
      reclaimable: sum(volumes.filter(({ usedBy }) => !usedBy.length).map(({ path }) => path)),
    },
    {
      kind: 'logins',
      count: logins.length,
      bytes: sum(logins.map(({ path }) => path)),
      reclaimable: 0,
    },
    {
      kind: 'persistent',
      count: kept.length,
      bytes: sum(kept.map((name) => join(volumesDir(paths), name))),
      reclaimable: 0,
    },
    {
      kind: 'snapshots',
      count: findSnapshots(paths).length,
      bytes: treeSize(snapshotsDir(paths)),
      reclaimable: 0,
    },
    {
      kind: 'boxes',
      count: boxes.length,
      bytes: sum(boxes.map((name) => join(boxesDir(paths), name))),
      reclaimable: 0,
    },
  ]
}
