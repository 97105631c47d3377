/**
 * The work of init for `coop cp`: finding, opening, making and naming files as root of the box. Pure builders and
 * readers of batches. Every path is resolved inside the box. Nothing opened here can block init: neither a fifo, nor a
 * file with a lease (O_NONBLOCK), nor a terminal (O_NOCTTY).
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import {
  decodeStatx,
  isKernelFileSystem,
  openHow,
  STATFS_SIZE,
  STATX,
  type Statx,
  timespecs,
} from '../../ffi/abi/structs.ts'
import { Batch, type Data, type Ref } from '../../ffi/batch.ts'
import type { CopyEntry, FileTime, NewEntry, Place } from '../protocol/calls/copies.ts'

const IN_BOX = k.RESOLVE_IN_ROOT | k.RESOLVE_NO_MAGICLINKS
const BELOW = k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS
const READ = k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | k.O_CLOEXEC
const TARGET_SIZE = 4096 // PATH_MAX
const FOUND_SIZE = STATX.size + STATFS_SIZE
const UNFINISHED_MODE = 0o600 // until the file is complete

/** Bytes of a path, one character each, for the kernel. */
function path(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'latin1')
}

/** A batch about the files of a box. */
export class CopyBatch {
  readonly batch = new Batch()
  #root: Ref | undefined
  readonly #folders = new Map<string, Ref>()

  #open(dir: Ref, name: string, flags: number, resolve: number, send = false, mode = 0): Ref {
    const how = openHow({ flags: flags | k.O_CLOEXEC, mode, resolve })
    return this.batch.call('openat2', [dir, path(name), how, 24], { scoped: true, send, mayFail: true })
  }

  get root(): Ref {
    this.#root ??= this.batch.call('openat', [k.AT_FDCWD, '/', k.O_PATH | abi.O_DIRECTORY | k.O_CLOEXEC], {
      scoped: true,
    })
    return this.#root
  }

  /** Opens a path of the box and follows every link in it; `/` is the box's root. */
  inBox(name: string, flags: number, send = false): Ref {
    return this.#open(this.root, name.replace(/^\/+/, '') || '.', flags, IN_BOX, send)
  }

  /** Opens a folder by a path without links. */
  straight(name: string): Ref {
    return this.#open(this.root, name, k.O_PATH | abi.O_DIRECTORY, BELOW)
  }

  /** Opens a folder. Operations in a folder that could not be opened fail with EBADF. */
  folder({ top, below }: Place): Ref {
    const key = `${top}\0${below}`
    const known = this.#folders.get(key)
    if (known) return known
    const above = this.inBox(top, k.O_PATH | abi.O_DIRECTORY)
    const ref = below ? this.#open(above, below, k.O_PATH | abi.O_DIRECTORY, BELOW) : above
    this.#folders.set(key, ref)
    return ref
  }

  /** statx of a name or an open file, 256 bytes at `to`. Links are not followed. */
  stat(dir: Ref, name: string, to: Data): Ref {
    const flags = k.AT_SYMLINK_NOFOLLOW | k.AT_NO_AUTOMOUNT | (name ? 0 : k.AT_EMPTY_PATH)
    return this.batch.call('statx', [dir, path(name), flags, k.STATX_BASIC_STATS, to], { mayFail: true })
  }

  /** Opens for reading and sends it, with its statx at `to`: the box may swap the file between looking and opening. */
  read(dir: Ref, name: string, flags: number, to: Data): { readonly opened: Ref; readonly checks: Ref[] } {
    const opened = this.#open(dir, name, READ | abi.O_NOFOLLOW | flags, BELOW, true)
    return { opened, checks: this.verify(opened, to) }
  }

  /** Like `read`, by a path with links. */
  readFollowed(name: string, to: Data): { readonly opened: Ref; readonly checks: Ref[] } {
    const opened = this.inBox(name, READ, true)
    return { opened, checks: this.verify(opened, to) }
  }

  /** statx of an open file at `to`, and its file system. */
  verify(opened: Ref, to: Data): Ref[] {
    const system = this.batch.call('fstatfs', [opened, to.at(STATX.size)], { mayFail: true })
    return [this.stat(opened, '', to), system]
  }

  link(dir: Ref, name: string, to: Data): Ref {
    return this.batch.call('readlinkat', [dir, path(name), to, TARGET_SIZE - 1], { mayFail: true })
  }

  /** Makes a file under a temporary name and sends it for writing. */
  create(dir: Ref, temporary: string): Ref {
    const flags = k.O_WRONLY | k.O_CREAT | k.O_EXCL | abi.O_NOFOLLOW
    return this.#open(dir, temporary, flags, BELOW, true, UNFINISHED_MODE)
  }

  /** Makes a folder. An existing one is accepted, but not a link or anything else. */
  makeFolder(dir: Ref, name: string, to: Data): readonly Ref[] {
    const made = this.batch.call('mkdirat', [dir, path(name), 0o700], { mayFail: true })
    const opened = this.#open(dir, name, k.O_PATH | abi.O_DIRECTORY | abi.O_NOFOLLOW, BELOW)
    return [made, opened, this.stat(opened, '', to)]
  }

  makeLink(dir: Ref, entry: NewEntry & { type: 'link' }, temporary: string): readonly Ref[] {
    const at = path(temporary)
    const made = this.batch.call('symlinkat', [path(entry.target), dir, at], { mayFail: true })
    const times = timespecs(entry.mtime)
    this.batch.call('utimensat', [dir, at, times, k.AT_SYMLINK_NOFOLLOW], { mayFail: true })
    return [made, this.rename(dir, temporary, entry.name)]
  }

  /** Replaces the temporary name with the real one; a failure leaves neither. */
  rename(dir: Ref, temporary: string, name: string): Ref {
    const renamed = this.batch.call('renameat2', [dir, path(temporary), dir, path(name), 0], {
      mayFail: true,
    })
    this.remove(dir, temporary)
    return renamed
  }

  remove(dir: Ref, name: string): void {
    this.batch.call('unlinkat', [dir, path(name), 0], { mayFail: true })
  }

  /** Sets mode and time of a folder. */
  settle(place: Place, mode: number, mtime: FileTime): readonly Ref[] {
    const flags = READ | abi.O_DIRECTORY | abi.O_NOFOLLOW
    const opened = this.#open(this.folder(place), '.', flags, BELOW)
    const time = this.batch.call('utimensat', [opened, 0, timespecs(mtime), 0], { mayFail: true })
    return [opened, time, this.batch.call('fchmod', [opened, mode], { mayFail: true })]
  }
}

/** Space for the statx of `count` files, which comes back with the reply. */
export function foundSpace(batch: Batch, count: number): Data {
  const space = batch.space(Math.max(1, count) * FOUND_SIZE)
  batch.output(space)
  return space
}

export const foundAt = (space: Data, index: number): Data => space.at(index * FOUND_SIZE)

export function linkSpace(batch: Batch, count: number): Data {
  const space = batch.space(Math.max(1, count) * TARGET_SIZE)
  batch.output(space)
  return space
}

export const linkAt = (space: Data, index: number): Data => space.at(index * TARGET_SIZE)

/** The target of a link: `length` bytes of the reply. */
export function linkTarget(output: Buffer, index: number, length: number): string {
  return output.toString('latin1', index * TARGET_SIZE, index * TARGET_SIZE + length)
}

export function foundStat(output: Buffer, index: number): Statx {
  return decodeStatx(output.subarray(index * FOUND_SIZE, index * FOUND_SIZE + STATX.size))
}

/**
 * Whether an opened file belongs to /proc, /sys or the like. Init opened it, so /proc/self would be init's own, whose
 * memory the box must not see; the box may well be able to read the copy.
 */
export function isKernelFile(output: Buffer, index: number): boolean {
  const at = index * FOUND_SIZE + STATX.size
  return isKernelFileSystem(output.subarray(at, at + STATFS_SIZE))
}

const TYPES: Readonly<Record<number, CopyEntry['type']>> = {
  [k.S_IFREG]: 'file',
  [k.S_IFDIR]: 'folder',
  [k.S_IFLNK]: 'link',
  [k.S_IFCHR]: 'device',
  [k.S_IFBLK]: 'device',
  [k.S_IFIFO]: 'fifo',
  [k.S_IFSOCK]: 'socket',
}

export const MISSING: CopyEntry = {
  type: 'missing',
  mode: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  identity: '',
  open: false,
}

/** An entry for the copying side, without a descriptor. */
export function entryOf(stat: Statx): CopyEntry {
  return {
    type: TYPES[stat.type] ?? 'device',
    mode: stat.mode & 0o7777,
    size: Number(stat.size),
    mtime: stat.mtime,
    identity: `${stat.devMajor}:${stat.devMinor}:${stat.ino}`,
    open: false,
  }
}
