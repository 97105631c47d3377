/**
 * Covers names in a box: batches for its init, which mounts an empty read-only file or folder over each. The mounts
 * belong to the box alone; nothing is written to the workspace. Masks are copies of a file and a folder in a small file
 * system of the box (`MASKS`), made with it and read-only to its programs.
 */
import * as k from '../../ffi/abi/constants.ts'
import { errnoName } from '../../ffi/abi/errno.ts'
import { abi } from '../../ffi/abi/index.ts'
import { mountAttr, openHow, STATX, timespecs } from '../../ffi/abi/structs.ts'
import { Batch, Data, type Ref } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import type { MountBatch } from './mount-batch.ts'

export const MASKS = '/dev/.coop'
// A batch has room for two thousand calls: six for each cover, seven for each file of a mask that is not empty.
const PER_BATCH = 300
const LIKES = 250
const FILE_MODE = 0o444
const MASKS_SIZE = '4m' // blank lines of tracked files; taken only as they are written
const FOLDER_MODE = 0o555
const BLANK = 4096 // bytes of blank lines; what is longer goes on with zeros
const CLONE = k.OPEN_TREE_CLONE | k.OPEN_TREE_CLOEXEC
const ATTACH = k.MOVE_MOUNT_F_EMPTY_PATH | k.MOVE_MOUNT_T_EMPTY_PATH

/** Makes the file system of the masks in a new box. `at`: the open folder for it. */
export function makeMasks(setup: MountBatch, at: Ref, attributes: number): void {
  const what = `mount ${MASKS}`
  const mount = setup.create('tmpfs', { mode: '0755', size: MASKS_SIZE }, attributes, what)
  setup.batch.call('mknodat', [mount, 'file', k.S_IFREG | FILE_MODE, 0], { what })
  setup.batch.call('mkdirat', [mount, 'folder', FOLDER_MODE], { what })
  setup.attributes(mount, attributes | k.MOUNT_ATTR_RDONLY, false, what)
  setup.attach(mount, at, what)
}

/** A name to cover, below a mount of the box. */
export interface Cover {
  /** Bytes, one character each, relative to the mount. */
  readonly path: string
  /** `lock` shows a file as it is, but read-only. */
  readonly as: 'file' | 'folder' | 'lock'
  readonly like?: Likeness | undefined
}

/** A file that a mask shows, with what git compares of it; its content is blank lines. */
export interface LikeEntry {
  /** Below the mask; '' for the mask itself. */
  readonly name: string
  readonly link: boolean
  readonly executable: boolean
  readonly size: number
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number }
}

/** A mask that is not empty, because git tracks what it hides. */
export interface Likeness {
  readonly entries: readonly LikeEntry[]
}

/** What became of a cover. `gone`: nothing is there (any more). */
export type Covered = 'done' | 'already' | 'gone' | { readonly failed: string }

const IN_BOX = k.RESOLVE_IN_ROOT | k.RESOLVE_NO_MAGICLINKS
const BELOW = k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS

function folderIn(batch: Batch, path: string): Ref {
  const how = openHow({ flags: k.O_PATH | abi.O_DIRECTORY | k.O_CLOEXEC, resolve: IN_BOX })
  return batch.call('openat2', [k.AT_FDCWD, path, how, how.length], { scoped: true, what: `open ${path}` })
}

function targetOf(batch: Batch, mount: Ref, { path, as }: Cover, resolve: number): Ref {
  const flags = k.O_PATH | abi.O_NOFOLLOW | k.O_CLOEXEC | (as === 'folder' ? abi.O_DIRECTORY : 0)
  const how = openHow({ flags, resolve })
  const name = Buffer.from(`${path}\0`, 'latin1')
  return batch.call('openat2', [mount, name, how, how.length], { mayFail: true })
}

function coverAt(batch: Batch, masks: Ref, target: Ref, { as }: Cover, name: string = as): Ref {
  const options = { mayFail: true } as const
  const copy =
    as === 'lock'
      ? batch.call('open_tree', [target, '', CLONE | k.AT_EMPTY_PATH], options)
      : batch.call('open_tree', [masks, name, CLONE], options)
  if (as === 'lock') {
    const attributes = mountAttr({ set: k.MOUNT_ATTR_RDONLY })
    batch.call('mount_setattr', [copy, '', k.AT_EMPTY_PATH, attributes, attributes.length], options)
  }
  const moved = batch.call('move_mount', [copy, '', target, '', ATTACH], options)
  // At once: a process has a thousand descriptors.
  for (const fd of [copy, target]) batch.call('close', [fd], options)
  return moved
}

/** Opens the masks' file system for writing, by a copy of its mount. */
function writableMasks(batch: Batch): Ref {
  const masks = folderIn(batch, MASKS)
  const copy = batch.call('open_tree', [masks, '', CLONE | k.AT_EMPTY_PATH], { scoped: true })
  const attributes = mountAttr({ clear: k.MOUNT_ATTR_RDONLY })
  batch.call('mount_setattr', [copy, '', k.AT_EMPTY_PATH, attributes, attributes.length])
  return copy
}

/** Makes the masks that are not empty. Returns their names among the masks. */
async function makeLikenesses(
  channel: Channel,
  covers: readonly Cover[],
): Promise<ReadonlyMap<Cover, string>> {
  const names = new Map<Cover, string>()
  const todo: { path: string; entry?: LikeEntry }[] = []
  for (const one of covers) {
    if (!one.like) continue
    const top = crypto.randomUUID()
    names.set(one, top)
    const folders = new Set<string>(one.as === 'folder' ? [top] : [])
    for (const entry of one.like.entries) {
      const path = entry.name ? `${top}/${entry.name}` : top
      for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at))
    }
    for (const path of [...folders].toSorted()) todo.push({ path })
    for (const entry of one.like.entries)
      todo.push({ path: entry.name ? `${top}/${entry.name}` : top, entry })
  }
  for (let from = 0; from < todo.length; from += LIKES) {
    const batch = new Batch()
    const writable = writableMasks(batch)
    for (const { path, entry } of todo.slice(from, from + LIKES))
      if (entry) makeEntry(batch, writable, path, entry)
      else batch.call('mkdirat', [writable, bytePath(path), FOLDER_MODE], { mayFail: true })
    await channel.run(batch)
  }
  return names
}

function makeEntry(
  batch: Batch,
  writable: Ref,
  path: string,
  { link, executable, size, mtime }: LikeEntry,
): void {
  const options = { mayFail: true } as const
  if (link) batch.call('symlinkat', ['x'.repeat(Math.min(size, 4095)), writable, bytePath(path)], options)
  else {
    const flags = k.O_WRONLY | k.O_CREAT | k.O_EXCL | k.O_CLOEXEC
    const mode = FILE_MODE | (executable ? 0o111 : 0)
    const file = batch.call('openat', [writable, bytePath(path), flags, mode], options)
    batch.call('ftruncate', [file, size], options)
    const text = Buffer.alloc(Math.min(size, BLANK), '\n')
    if (text.length) batch.call('write', [file, text, text.length], options)
    batch.call('close', [file], options)
  }
  batch.call('utimensat', [writable, bytePath(path), timespecs(mtime), k.AT_SYMLINK_NOFOLLOW], options)
}

const bytePath = (path: string): Uint8Array => Buffer.from(`${path}\0`, 'latin1')

const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR']

function outcome(results: readonly number[], target: Ref, moved: Ref): Covered | 'elsewhere' {
  const opened = results[target.index] ?? -1
  if (opened < 0) {
    const name = errnoName(-opened)
    return name === 'EXDEV' ? 'elsewhere' : GONE.includes(name) ? 'gone' : { failed: `openat2: ${name}` }
  }
  const done = results[moved.index] ?? -1
  if (done >= 0) return 'done'
  const name = errnoName(-done)
  return GONE.includes(name) ? 'gone' : { failed: `move_mount: ${name}` }
}

/** Covers names below the mount at `at`. Resolves with one outcome for each. */
export async function cover(channel: Channel, at: string, covers: readonly Cover[]): Promise<Covered[]> {
  const outcomes: Covered[] = []
  const names = await makeLikenesses(channel, covers)
  for (let from = 0; from < covers.length; from += PER_BATCH)
    outcomes.push(...(await coverSome(channel, at, covers.slice(from, from + PER_BATCH), names)))
  return outcomes
}

async function coverSome(
  channel: Channel,
  at: string,
  covers: readonly Cover[],
  names: ReadonlyMap<Cover, string>,
): Promise<Covered[]> {
  const batch = new Batch()
  const mount = folderIn(batch, at)
  const masks = folderIn(batch, MASKS)
  const asked = covers.map((one) => {
    const target = targetOf(batch, mount, one, BELOW | k.RESOLVE_NO_XDEV)
    return { target, moved: coverAt(batch, masks, target, one, names.get(one)) }
  })
  const { results } = await channel.run(batch)
  const files = covers.flatMap((one) => (one.as === 'file' ? (names.get(one) ?? []) : []))
  if (files.length) await unlink(channel, files)
  const outcomes: Covered[] = []
  for (const [index, { target, moved }] of asked.entries()) {
    const one = covers[index] as Cover
    const found = outcome(results, target, moved)
    outcomes.push(found === 'elsewhere' ? await coverElsewhere(channel, at, one, names.get(one)) : found)
  }
  return outcomes
}

/** Takes away the names of masks: the mounts keep their files, and nothing piles up. */
async function unlink(channel: Channel, names: readonly string[]): Promise<void> {
  const batch = new Batch()
  const writable = writableMasks(batch)
  for (const name of names) batch.call('unlinkat', [writable, name, 0], { mayFail: true })
  await channel.run(batch)
}

/** Another mount is there: one of ours, or one of the host's below the folder. */
async function coverElsewhere(
  channel: Channel,
  at: string,
  one: Cover,
  name: string | undefined,
): Promise<Covered> {
  const look = new Batch()
  const mount = folderIn(look, at)
  const masks = folderIn(look, MASKS)
  const out = look.space(2 * STATX.size)
  const target = targetOf(look, mount, one, BELOW)
  look.call('statx', [masks, '', k.AT_EMPTY_PATH, k.STATX_BASIC_STATS, out])
  const seen = new Data(out.offset + STATX.size, STATX.size)
  look.call('statx', [target, '', k.AT_EMPTY_PATH, k.STATX_BASIC_STATS, seen], { mayFail: true })
  look.call('close', [target], { mayFail: true })
  look.output(out)
  const { results, output } = await channel.run(look)
  if ((results[target.index] ?? -1) < 0) return 'gone'
  const device = (from: number): bigint => output.readBigUInt64LE(from + STATX.devMajor)
  // A lock is a mount of the file itself; another one on top of it would change nothing.
  if (one.as === 'lock' || device(0) === device(STATX.size)) return 'already'
  const batch = new Batch()
  const again = folderIn(batch, at)
  const empty = folderIn(batch, MASKS)
  const there = targetOf(batch, again, one, BELOW)
  const moved = coverAt(batch, empty, there, one, name)
  const found = outcome((await channel.run(batch)).results, there, moved)
  return found === 'elsewhere' ? { failed: 'EXDEV' } : found
}
