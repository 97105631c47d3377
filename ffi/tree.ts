/**
 * Files and folders of the host by descriptors, for copying: nothing here follows a link, and all but `openReal`
 * take a single name in an open folder. Names are bytes, one character each (latin1). Descriptors are the caller's
 * to close. Failures are SysError.
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

/** Bytes of a path as this file has them. */
export function pathBytes(text: string): string {
  return bytesOf(text).toString('latin1')
}

/** A path as a person reads it. */
export function pathText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}

/** An absolute path in which there must be no link; `flags` beside O_CLOEXEC. */
export function openReal(path: string, flags: number): number {
  const how = openHow({ flags: flags | k.O_CLOEXEC, resolve: k.RESOLVE_NO_SYMLINKS })
  return must('openat2', pathText(path), k.AT_FDCWD, cpath(path), how, how.length)
}

export const FOLDER = k.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW | k.O_CLOEXEC

export function openFolder(dir: number, name: string): number {
  return must('openat', pathText(name), dir, cpath(name), FOLDER)
}

/** A file for reading; what else may have come to be there blocks nobody. */
export function openFile(dir: number, name: string): number {
  const flags = k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | abi.O_NOFOLLOW | k.O_CLOEXEC
  return must('openat', pathText(name), dir, cpath(name), flags)
}

/** A new file of ours that nobody else can open yet. */
export function createFile(dir: number, name: string): number {
  const flags = k.O_WRONLY | k.O_CREAT | k.O_EXCL | abi.O_NOFOLLOW | k.O_CLOEXEC
  return must('openat', pathText(name), dir, cpath(name), flags, 0o600)
}

/** A folder, new or there already; open. */
export function makeFolder(dir: number, name: string): number {
  const made = syscall('mkdirat', dir, cpath(name), 0o700)
  if (made < 0 && made !== EEXIST) throw new SysError('mkdirat', made, pathText(name))
  return openFolder(dir, name) // says what is in the way, when something is
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

/** The target of the link at a path; undefined when there is none or no link. */
export function readLinkAt(path: string): string | undefined {
  const target = Buffer.alloc(TARGET_SIZE)
  const n = syscall('readlinkat', k.AT_FDCWD, cpath(path), target, TARGET_SIZE)
  if (n === EINVAL || n === ENOENT || n === ENOTDIR) return undefined
  if (n < 0) must('readlinkat', pathText(path), k.AT_FDCWD, cpath(path), target, TARGET_SIZE)
  return target.toString('latin1', 0, n)
}

/** What a name is, or with '' the open file itself. */
export function statAt(dir: number, name: string): Statx {
  const stat = new Uint8Array(STATX.size)
  const flags = k.AT_SYMLINK_NOFOLLOW | k.AT_NO_AUTOMOUNT | (name ? 0 : k.AT_EMPTY_PATH)
  must('statx', pathText(name), dir, cpath(name), flags, k.STATX_BASIC_STATS, stat)
  return decodeStatx(stat)
}

/** Whether a name is a link; false when there is nothing by it. */
export function isLink(dir: number, name: string): boolean {
  try {
    return statAt(dir, name).type === k.S_IFLNK
  } catch {
    return false
  }
}

/** Whether an open file is of /proc, /sys or the like, whose size says nothing. */
export function isKernelFile(fd: number): boolean {
  const statfs = new Uint8Array(STATFS_SIZE)
  must('fstatfs', undefined, fd, statfs)
  return isKernelFileSystem(statfs)
}

export function rename(dir: number, from: string, to: string): void {
  must('renameat2', pathText(to), dir, cpath(from), dir, cpath(to), 0)
}

/** Whether it could be removed, or was gone already. */
export function remove(dir: number, name: string): boolean {
  const removed = syscall('unlinkat', dir, cpath(name), 0)
  return removed >= 0 || removed === ENOENT
}

/** Mode and time of an open file or folder. The time of the link `name` of a folder: `setLinkTime`. */
export function setModeAndTime(fd: number, mode: number, time: Statx['mtime']): void {
  must('fchmod', undefined, fd, mode)
  must('utimensat', undefined, fd, 0, timespecs(time), 0)
}

export function setLinkTime(dir: number, name: string, time: Statx['mtime']): void {
  syscall('utimensat', dir, cpath(name), timespecs(time), k.AT_SYMLINK_NOFOLLOW)
}

/** Names out of what getdents64 wrote, without `.` and `..`. */
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

/** The names in an open folder, some at a time: a folder may have more than fit into memory. */
export function* listNames(dir: number): Generator<string[]> {
  const buffer = new Uint8Array(LISTING)
  for (;;) {
    const n = syscall('getdents64', dir, buffer, buffer.length)
    if (n === 0 || n === ENOENT) return // somebody has removed the folder: there is nothing in it
    if (n < 0) throw new SysError('getdents64', n)
    yield entryNames(buffer.subarray(0, n))
  }
}

/** A folder of an open folder, new or there already; open, and whether it is new. */
export function ensureFolder(dir: number, name: string): { readonly fd: number; readonly made: boolean } {
  const made = syscall('mkdirat', dir, cpath(name), 0o700)
  if (made < 0 && made !== EEXIST) throw new SysError('mkdirat', made, pathText(name))
  return { fd: openFolder(dir, name), made: made >= 0 }
}

const PIECE = 4000 // bytes of a path for one call, which takes 4,095 (PATH_MAX, path_resolution(7))

/** A folder below an open one, by a path of any length without any link in it. */
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
 * A folder of an open folder for listing, with the permissions that removing what is in it needs: overlayfs leaves work
 * folders without any. By its descriptor, since what the name means may change in between.
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

/** Begin a folder's listing anew. */
export function rewind(dir: number): void {
  syscall('lseek', dir, 0, 0)
}

/** To a name of another open folder that is free; whether it could be. */
export function move(dir: number, name: string, to: number, as: string): boolean {
  return syscall('renameat2', dir, cpath(name), to, cpath(as), k.RENAME_NOREPLACE) >= 0
}

/** Remove an empty folder; false when it is not empty, or none. */
export function removeFolder(dir: number, name: string): boolean {
  return syscall('unlinkat', dir, cpath(name), k.AT_REMOVEDIR) >= 0
}

export function setMode(fd: number, mode: number): void {
  must('fchmod', undefined, fd, mode)
}

/** Owner of a name, or with '' of the open file itself. Links are not followed. */
export function setOwner(dir: number, name: string, uid: number, gid: number): void {
  const flags = k.AT_SYMLINK_NOFOLLOW | (name ? 0 : k.AT_EMPTY_PATH)
  must('fchownat', pathText(name), dir, cpath(name), uid, gid, flags)
}

/** Two paths change places, in one step: nobody ever finds one of them missing. */
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

/** Everything written to the file system that a folder is on reaches its disk (syncfs(2)). Blocks the whole process. */
export function syncFileSystem(folder: string): void {
  const fd = openFolder(k.AT_FDCWD, pathBytes(folder))
  try {
    must('syncfs', folder, fd)
  } finally {
    syscall('close', fd)
  }
}
