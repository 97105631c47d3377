/** Makes the skeleton of the `host` image on disk, and removes those of earlier states of the host. */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { AT_FDCWD } from '../../ffi/abi/constants.ts'
import { syscall } from '../../ffi/libc.ts'
import { errnoOf } from '../core/errno.ts'
import { imagesDir, type Paths } from '../core/paths.ts'
import type { HostFacts } from '../host/facts.ts'
import { isOpenFile, systemTree } from '../host/system-tree.ts'
import { SKELETON, skeletonName } from '../plan/skeleton.ts'
import { COMPLETE, WAIT_PATH } from '../sandbox/box-programs.ts'
import { deepFolders, hostSkeleton, type Skeleton, type SkeletonFolder } from '../sandbox/host-skeleton.ts'
import { type IdPlan, planIds } from '../sandbox/ids.ts'
import { findManifests } from '../store/manifest.ts'
import { discard, diskError, Owner, withModes } from '../store/storage.ts'

const ENOTSUP = -95
const CHARACTER_DEVICE = 0o20000 // S_IFCHR of stat(2); with number 0 it is a whiteout
const HALF_MADE = '.half-made' // beside the overlays' folders, invisible to boxes
const SLICE_MS = 10 // after it, terminals and other boxes get their turn
/** Beside the overlays' folders: all folders of the host are in the skeleton. */
const GROWN = '.complete'
const SEEN_INSIDE = `${dirname(WAIT_PATH)}/${COMPLETE}`
const GONE = ['ENOENT', 'EACCES', 'ELOOP', 'ENOTDIR', 'ENXIO']

/** Marks a folder so that overlayfs shows nothing of the layers below it. Returns whether the file system can. */
function makeOpaque(path: string): boolean {
  const value = Buffer.from('y')
  const name = Buffer.from('user.overlay.opaque\0')
  const result = syscall('setxattr', Buffer.from(`${path}\0`), name, value, value.length, 0)
  if (result < 0 && result !== ENOTSUP) throw new Error(`setxattr ${path}: errno ${-result}`)
  return result === 0
}

/** Anybody may make such a device (Linux 5.8); before that the name shows, and does no harm. */
function whiteout(path: string): void {
  syscall('mknodat', AT_FDCWD, Buffer.from(`${path}\0`), CHARACTER_DEVICE, 0)
}

/** Makes the folder whole under another name first, if a box may see it at once. Returns whether it is there. */
function makeFolder(owner: Owner, base: string, { path, mode, opaque }: SkeletonFolder): boolean {
  const at = join(base, path)
  if (!opaque) {
    try {
      owner.folder(at, mode)
      return true
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return false // the host has changed meanwhile
      throw error
    }
  }
  if (existsSync(at)) return true
  const fresh = join(base, `${HALF_MADE}.${process.pid}`)
  owner.folder(fresh, mode)
  // Without the mark the box would merge a folder that it cannot look into.
  const made = makeOpaque(fresh)
  if (made) renameSync(fresh, at)
  else rmdirSync(fresh)
  return made
}

/** Copies a file that everybody may read. Returns false when it has become another one since the host was looked at. */
function copyOpenFile(from: string, to: string): boolean {
  let fd: number
  try {
    fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (GONE.includes(errnoOf(error) ?? '')) return false
    throw error
  }
  try {
    if (!isOpenFile(fstatSync(fd))) return false
    copyFileSync(`/proc/self/fd/${fd}`, to, constants.COPYFILE_FICLONE)
    return true
  } finally {
    closeSync(fd)
  }
}

/** Writes the contents of a skeleton below `base`, with the ids of boxes. */
export function writeSkeleton(base: string, skeleton: Skeleton, ids: IdPlan): void {
  const owner = new Owner(ids)
  for (const folder of skeleton.folders) makeFolder(owner, base, folder)
  for (const { path, to } of skeleton.links) {
    symlinkSync(to, join(base, path))
    owner.own(join(base, path))
  }
  for (const path of skeleton.whiteouts) whiteout(join(base, path))
  for (const file of skeleton.files) {
    const at = join(base, file.path)
    if ('text' in file) {
      rmSync(at, { force: true }) // coop's own goes before a copy of the host's
      owner.file(at, file.text, file.mode)
      continue
    }
    if (copyOpenFile(file.from, at)) owner.own(at)
  }
}

/** Makes the skeleton if it does not exist yet. Raises E_DISK_FULL. */
export function ensureSkeleton(host: HostFacts, paths: Paths): void {
  const images = imagesDir(paths)
  const name = skeletonName(host)
  const path = join(images, name)
  if (existsSync(path)) return
  const ids = planIds(host.ids)
  try {
    mkdirSync(images, { recursive: true })
    const fresh = join(images, `.${name}.${process.pid}`)
    rmSync(fresh, { recursive: true, force: true })
    withModes(() => {
      new Owner(ids).folder(fresh)
      writeSkeleton(fresh, hostSkeleton(host.image, systemTree, ids.kind), ids)
    })
    renameSync(fresh, path)
  } catch (error) {
    throw diskError(error, `the host image in ${path}`)
  }
  removeOld(paths, name)
}

/**
 * Removes skeletons that no box of this data folder uses. The newest of the others stays, since the boxes of a running
 * build are in no list.
 */
function removeOld(paths: Paths, current: string): void {
  const images = imagesDir(paths)
  const others = readdirSync(images).filter((name) => name.startsWith(SKELETON) && name !== current)
  if (others.length < 2) return
  const boxes = findManifests(paths)
  if (boxes.some(({ manifest }) => manifest.is === 'unreadable')) return
  const age = (name: string): number => statSync(join(images, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const [, ...old] = others.sort((a, b) => age(b) - age(a))
  for (const name of old)
    if (!boxes.some(({ text }) => text.includes(name))) discard(paths, join(images, name))
}

/** Whether all folders of the host are in the skeleton at this path. */
export const isComplete = (skeleton: string): boolean => existsSync(join(skeleton, GROWN))

/**
 * Adds the host's deeper folders to a skeleton that boxes use. Works in slices. The folders are never removed or
 * changed, so a box sees either none or the whole one.
 */
export async function growSkeleton(host: HostFacts, skeleton: string): Promise<void> {
  const ids = planIds(host.ids)
  const owner = new Owner(ids)
  const folders = deepFolders(host.image, systemTree)
  const left = new Set<string>()
  const slice = (): boolean => {
    const until = performance.now() + SLICE_MS
    while (performance.now() < until) {
      const { done, value } = folders.next()
      if (done) return true
      if (left.has(dirname(value.path)) || !makeFolder(owner, skeleton, value)) left.add(value.path)
    }
    return false
  }
  while (!withModes(slice)) await new Promise((resolve) => setImmediate(resolve))
  withModes(() => {
    if (existsSync(join(skeleton, dirname(SEEN_INSIDE)))) owner.file(join(skeleton, SEEN_INSIDE), '', 0o644)
    owner.file(join(skeleton, GROWN), '', 0o644)
  })
}
