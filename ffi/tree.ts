/**
 * Files and folders of the host by descriptors, for copying. Nothing here follows a link, and all but `openReal` and
 * `openBelow` take a single name in an open folder. Names are bytes, one character each (latin1). The caller closes the
 * descriptors. Failures are SysError.
 */
import * as k from './abi/constants.ts'
import { abi } from './abi/index.ts'
import {
  decodeStatx,
  isKernelFileSystem,
  openHow,
  STATFS_SIZE,
  STATX,
  type Statx,
  timespecs,
} from './abi/structs.ts'
import { must, SysError, syscall } from './libc.ts'
import { bytesOf } from './text-bytes.ts'

const LISTING = 64 * 1024 // bytes; some thousand names at a time
const TARGET_SIZE = 4096 // PATH_MAX
const D_NAME = 19 // offset in struct linux_dirent64 (getdents(2))
const EINVAL = -22
const ENOENT = -2
const ENOTDIR = -20
const EEXIST = -17

function cpath(name: string): Uint8Array {
  return Buffer.from(`${name}\0`, 'latin1')
}

/** A path as this module's bytes. */
export function pathBytes(text: string): string {
  return bytesOf(text).toString('latin1')
}

/** A path as readable text. */
export function pathText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}

/** Open an absolute path that must contain no link. O_CLOEXEC is added to `flags`. */
export function openReal(path: string, flags: number): number {
  const how = openHow({ flags: flags | k.O_CLOEXEC, resolve: k.RESOLVE_NO_SYMLINKS })
  return must('openat2', pathText(path), k.AT_FDCWD, cpath(path), how, how.length)
}

export const FOLDER = k.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW | k.O_CLOEXEC

export function openFolder(dir: number, name: string): number {
  return must('openat', pathText(name), dir, cpath(name), FOLDER)
}

/** Open a file for reading; does not block if something else has taken its place. */
export function openFile(dir: number, name: string): number {
  const flags = k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | abi.O_NOFOLLOW | k.O_CLOEXEC
  return must('openat', pathText(name), dir, cpath(name), flags)
}

/** Open a file below a folder for reading, with no link on the way; does not block. */
export function openFileBelow(dir: number, path: string): number {
  const flags = k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | abi.O_NOFOLLOW | k.O_CLOEXEC
  const how = openHow({ flags, resolve: k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS })
  return must('openat2', pathText(path), dir, cpath(path), how, how.length)
}

/** Create a file that nobody else can open yet. */
export function createFile(dir: number, name: string): number {
  const flags = k.O_WRONLY | k.O_CREAT | k.O_EXCL | abi.O_NOFOLLOW | k.O_CLOEXEC
  return must('openat', pathText(name), dir, cpath(name), flags, 0o600)
}

/** Make a folder, or accept an existing one, and open it. */
export function makeFolder(dir: number, name: string): number {
  const made = syscall('mkdirat', dir, cpath(name), 0o700)
  if (made < 0 && made !== EEXIST) throw new SysError('mkdirat', made, pathText(name))
  return openFolder(dir, name) // its error tells what is in the way
}

export function makeLink(target: string, dir: number, name: string): void {
  must('symlinkat', pathText(name), cpath(target), dir, cpath(name))
}

export function readLink(dir: number, name: string): string {
  const target = Buffer.alloc(TARGET_SIZE)
  return target.toString(
    'latin1',
    0,
    must('readlinkat', pathText(name), dir, cpath(name), target, TARGET_SIZE),
  )
}

/** The target of the link at a path; undefined if nothing or no link is there. */
export function readLinkAt(path: string): string | undefined {
  const target = Buffer.alloc(TARGET_SIZE)
  const n = syscall('readlinkat', k.AT_FDCWD, cpath(path), target, TARGET_SIZE)
  if (n === EINVAL || n === ENOENT || n === ENOTDIR) return undefined
  if (n < 0) must('readlinkat', pathText(path), k.AT_FDCWD, cpath(path), target, TARGET_SIZE)
  return target.toString('latin1', 0, n)
}

/** statx of a name; '' means the open file itself. */
export function statAt(dir: number, name: string): Statx {
  const stat = new Uint8Array(STATX.size)
  const flags = k.AT_SYMLINK_NOFOLLOW | k.AT_NO_AUTOMOUNT | (name ? 0 : k.AT_EMPTY_PATH)
  must('statx', pathText(name), dir, cpath(name), flags, k.STATX_BASIC_STATS | k.STATX_BTIME, stat)
  return decodeStatx(stat)
}

/**
 * Returns the identity of a folder or file, which it keeps when it is moved within its file system:
 * `@DEVICE:INODE:BIRTH`. A later one with the same inode has another time of birth. `path` is without links. Undefined
 * when statx(2) fails.
 */
export function placeIdentity(path: string): string | undefined {
  const stat = new Uint8Array(STATX.size)
  const flags = k.AT_SYMLINK_NOFOLLOW | k.AT_NO_AUTOMOUNT
  const mask = k.STATX_BASIC_STATS | k.STATX_BTIME
  if (syscall('statx', k.AT_FDCWD, cpath(path), flags, mask, stat) < 0) return undefined
  const { devMajor, devMinor, ino, birth } = decodeStatx(stat)
  return `@${devMajor}.${devMinor}:${ino}:${birth}`
}

/** Whether a name is a link; false if it does not exist. */
export function isLink(dir: number, name: string): boolean {
  try {
    return statAt(dir, name).type === k.S_IFLNK
  } catch {
    return false
  }
}

/** Whether an open file belongs to /proc, /sys or the like, where sizes mean nothing. */
export function isKernelFile(fd: number): boolean {
  const statfs = new Uint8Array(STATFS_SIZE)
  must('fstatfs', undefined, fd, statfs)
  return isKernelFileSystem(statfs)
}

export function rename(dir: number, from: string, to: string): void {
  must('renameat2', pathText(to), dir, cpath(from), dir, cpath(to), 0)
}

/** Exchange two names of a folder in one step. */
export function exchangeNames(dir: number, one: string, other: string): void {
  must('renameat2', pathText(other), dir, cpath(one), dir, cpath(other), k.RENAME_EXCHANGE)
}

/** Remove a file. Returns whether it is gone now. */
export function remove(dir: number, name: string): boolean {
  const removed = syscall('unlinkat', dir, cpath(name), 0)
  return removed >= 0 || removed === ENOENT
}

/** Set mode and time of an open file or folder. For links use `setLinkTime`. */
export function setModeAndTime(fd: number, mode: number, time: Statx['mtime']): void {
  must('fchmod', undefined, fd, mode)
  must('utimensat', undefined, fd, 0, timespecs(time), 0)
}

export function setLinkTime(dir: number, name: string, time: Statx['mtime']): void {
  syscall('utimensat', dir, cpath(name), timespecs(time), k.AT_SYMLINK_NOFOLLOW)
}

/** Names in the output of getdents64, without `.` and `..`. */
export function entryNames(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const names: string[] = []
  for (let at = 0; at + D_NAME < buffer.length; ) {
    const size = buffer.readUInt16LE(at + 16)
    if (size <= D_NAME || at + size > buffer.length) break
    const end = buffer.indexOf(0, at + D_NAME)
    const name = buffer.toString('latin1', at + D_NAME, end < 0 || end > at + size ? at + size : end)
    if (name !== '.' && name !== '..') names.push(name)
    at += size
  }
  return names
}

/** Lists an open folder in portions: a folder may have more names than fit into memory. */
export function* listNames(dir: number): Generator<string[]> {
  const buffer = new Uint8Array(LISTING)
  for (;;) {
    const n = syscall('getdents64', dir, buffer, buffer.length)
    if (n === 0 || n === ENOENT) return // the folder was removed meanwhile
    if (n < 0) throw new SysError('getdents64', n)
    yield entryNames(buffer.subarray(0, n))
  }
}

/** A name of a folder as getdents64(2) tells it. */
export interface Entry {
  readonly name: string
  /** S_IFDIR and so on; 0 where the file system does not tell. */
  readonly type: number
  readonly ino: number
}

/** All names of an open folder with what the listing itself tells of them. */
export function listEntries(dir: number, buffer: Buffer): Entry[] {
  const entries: Entry[] = []
  for (;;) {
    const n = syscall('getdents64', dir, buffer, buffer.length)
    if (n === 0 || n === ENOENT) return entries // the folder was removed meanwhile
    if (n < 0) throw new SysError('getdents64', n)
    for (let at = 0; at < n; ) {
      const size = buffer.readUInt16LE(at + 16)
      const name = buffer.toString('latin1', at + D_NAME, buffer.indexOf(0, at + D_NAME))
      if (name !== '.' && name !== '..')
        entries.push({
          name,
          type: buffer.readUInt8(at + 18) << 12, // DT_DIR and S_IFDIR differ by this (IFTODT of glibc)
          ino: buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 2 ** 32,
        })
      at += size
    }
  }
}

/** Make a folder, or accept an existing one; returns it open and whether it is new. */
export function ensureFolder(dir: number, name: string): { readonly fd: number; readonly made: boolean } {
  const made = syscall('mkdirat', dir, cpath(name), 0o700)
  if (made < 0 && made !== EEXIST) throw new SysError('mkdirat', made, pathText(name))
  return { fd: openFolder(dir, name), made: made >= 0 }
}

const PIECE = 4000 // bytes of a path for one call, which takes 4,095 (PATH_MAX, path_resolution(7))

/** Opens a folder below an open one by a path of any length that must contain no link. */
export function openBelow(dir: number, path: string): number {
  const how = openHow({ flags: FOLDER, resolve: k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS })
  let at = dir
  for (let rest = path || '.'; ; ) {
    const slash = rest.length > PIECE ? rest.lastIndexOf('/', PIECE) : -1
    const end = slash > 0 ? slash : rest.length
    const found = syscall('openat2', at, cpath(rest.slice(0, end)), how, how.length)
    if (at !== dir) syscall('close', at)
    if (found < 0) throw new SysError('openat2', found, pathText(path))
    at = found
    rest = rest.slice(end + 1)
    if (!rest) return at
  }
}

/**
 * Open a folder for listing, with the permissions that emptying it needs: overlayfs leaves work folders with none. Sets
 * them by descriptor, because the name may point elsewhere in between.
 */
export function openToRemove(dir: number, name: string): number {
  const flags = k.O_PATH | abi.O_DIRECTORY | abi.O_NOFOLLOW | k.O_CLOEXEC
  const at = must('openat', pathText(name), dir, cpath(name), flags)
  try {
    syscall('fchmodat', k.AT_FDCWD, cpath(`/proc/self/fd/${at}`), 0o700)
    return openFolder(at, '.')
  } finally {
    syscall('close', at)
  }
}

/** Restart a folder's listing. */
export function rewind(dir: number): void {
  syscall('lseek', dir, 0, 0)
}

/** Move a name to a free name of another open folder. Returns whether that worked. */
export function move(dir: number, name: string, to: number, as: string): boolean {
  return syscall('renameat2', dir, cpath(name), to, cpath(as), k.RENAME_NOREPLACE) >= 0
}

/** Remove an empty folder; returns false if it is not empty or not there. */
export function removeFolder(dir: number, name: string): boolean {
  return syscall('unlinkat', dir, cpath(name), k.AT_REMOVEDIR) >= 0
}

export function setMode(fd: number, mode: number): void {
  must('fchmod', undefined, fd, mode)
}

/** Set the owner of a name; '' means the open file itself. Does not follow links. */
export function setOwner(dir: number, name: string, uid: number, gid: number): void {
  const flags = k.AT_SYMLINK_NOFOLLOW | (name ? 0 : k.AT_EMPTY_PATH)
  must('fchownat', pathText(name), dir, cpath(name), uid, gid, flags)
}

/** Exchange two paths in one step: both exist at any time. */
export function exchange(one: string, other: string): void {
  must(
    'renameat2',
    one,
    k.AT_FDCWD,
    cpath(pathBytes(one)),
    k.AT_FDCWD,
    cpath(pathBytes(other)),
    k.RENAME_EXCHANGE,
  )
}

/** Write everything on a folder's file system to its disk (syncfs(2)). Blocks the whole process. */
export function syncFileSystem(folder: string): void {
  const fd = openFolder(k.AT_FDCWD, pathBytes(folder))
  try {
    must('syncfs', folder, fd)
  } finally {
    syscall('close', fd)
  }
}
