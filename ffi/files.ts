/** Files and their locks without node:fs, which costs a client a millisecond to load. */
import * as k from './abi/constants.ts'
import { cstring, must, SysError, syscall } from './libc.ts'

const STATX_BASIC = 0x7ff

export type FileType = 'pipe' | 'other'

/** Whether a pipe has no name in the file system, as pipe(2) makes them. A pipe with a name is a file of the host. */
function isNameless(fd: number): boolean {
  const link = new Uint8Array(64)
  const n = syscall('readlinkat', k.AT_FDCWD, cstring(`/proc/self/fd/${fd}`), link, link.length)
  return n > 0 && Buffer.from(link.subarray(0, n)).toString().startsWith('pipe:[')
}

/** The type of an open descriptor; undefined if it is closed. */
export function descriptorType(fd: number): FileType | undefined {
  const stat = new Uint8Array(256) // struct statx
  if (syscall('statx', fd, cstring(''), k.AT_EMPTY_PATH, STATX_BASIC, stat) < 0) return undefined
  const view = new DataView(stat.buffer)
  const format = view.getUint16(28, true) & k.S_IFMT
  return format === k.S_IFIFO && isNameless(fd) ? 'pipe' : 'other'
}

export type StreamKind = 'pipe' | 'file' | 'socket' | 'null-device' | 'other'

export interface Stream {
  readonly kind: StreamKind
  /** The kernel's description (struct statx). */
  readonly stat: DataView
}

/** The kind of stream behind a descriptor; undefined if it is closed. */
export function streamAt(fd: number): Stream | undefined {
  const bytes = new Uint8Array(256)
  if (syscall('statx', fd, cstring(''), k.AT_EMPTY_PATH, STATX_BASIC, bytes) < 0) return undefined
  const stat = new DataView(bytes.buffer)
  const format = stat.getUint16(28, true) & k.S_IFMT
  if (format === k.S_IFIFO) return { kind: 'pipe', stat }
  if (format === k.S_IFREG) return { kind: 'file', stat }
  if (format === k.S_IFSOCK) return { kind: 'socket', stat }
  const isNull = stat.getUint32(128, true) === 1 && stat.getUint32(132, true) === 3 // stx_rdev of /dev/null
  return { kind: isNull && format === 0o020000 ? 'null-device' : 'other', stat }
}

/** Whether both are open on the same file, by device and inode. */
export function isSameStream(a: Stream | undefined, b: Stream | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    [32, 36, 136, 140].every((at) => a.stat.getUint32(at, true) === b.stat.getUint32(at, true))
  )
}

/** The current offset of a file (lseek(2)). Throws SysError. */
export function position(fd: number): number {
  return must('lseek', undefined, fd, 0, 1 /* SEEK_CUR */)
}

/** Set the offset of the next read or write. */
export function seek(fd: number, offset: number): void {
  syscall('lseek', fd, offset, 0 /* SEEK_SET */)
}

/** Whether a descriptor is a socket. */
export function descriptorIsSocket(fd: number): boolean {
  const stat = new Uint8Array(256)
  if (syscall('statx', fd, cstring(''), k.AT_EMPTY_PATH, STATX_BASIC, stat) < 0) return false
  return (new DataView(stat.buffer).getUint16(28, true) & k.S_IFMT) === k.S_IFSOCK
}

/** Read at an offset (pread(2)). Returns the number of bytes, less than asked for only at the end. Throws SysError. */
export function readAt(fd: number, bytes: Uint8Array, offset: number): number {
  if (!bytes.length) return 0
  return must('pread64', undefined, fd, bytes, bytes.length, offset)
}

/** Write all bytes at an offset (pwrite(2)). Throws SysError; ENOSPC also if only a part fit. */
export function writeAt(fd: number, bytes: Uint8Array, offset: number): void {
  if (!bytes.length) return
  const n = must('pwrite64', undefined, fd, bytes, bytes.length, offset)
  if (n === 0) throw new SysError('pwrite64', -28 /* ENOSPC */)
  if (n < bytes.length) writeAt(fd, bytes.subarray(n), offset + n)
}

/** Open or create one of coop's files for locking; close-on-exec, mode 0600. Throws SysError. */
export function openLockFile(path: string): number {
  return must('openat', path, k.AT_FDCWD, cstring(path), k.O_RDWR | k.O_CREAT | k.O_CLOEXEC, 0o600)
}

/** Take the lock if it is free; `shared`: or if all holders share it. Closing the descriptor or a kill releases it. */
export function tryLock(fd: number, how: 'alone' | 'shared' = 'alone'): boolean {
  return syscall('flock', fd, (how === 'alone' ? k.LOCK_EX : k.LOCK_SH) | k.LOCK_NB) === 0
}

/** Wait for the lock. Blocks the whole process. */
export function lock(fd: number): void {
  while (syscall('flock', fd, k.LOCK_EX) === -4 /* EINTR */);
}

/** Reserve disk space for a file of `size` bytes (fallocate(2)). Throws SysError, such as ENOSPC. */
export function allocate(fd: number, size: number): void {
  const result = syscall('fallocate', fd, 0, 0, size)
  if (result < 0 && result !== -95 /* EOPNOTSUPP: some network file systems */)
    throw new SysError('fallocate', result)
}

/** Turn a descriptor into /dev/null, so that nobody waits for this process at the other end of the old one. */
export function redirectToNull(fd: number): void {
  const nowhere = must('openat', '/dev/null', k.AT_FDCWD, cstring('/dev/null'), k.O_RDWR | k.O_CLOEXEC, 0)
  must('dup3', undefined, nowhere, fd, 0)
  syscall('close', nowhere)
}

/** Whether a path exists and may be looked at; follows links. */
export function isThere(path: string): boolean {
  return syscall('statx', k.AT_FDCWD, cstring(path), 0, STATX_BASIC, new Uint8Array(256)) === 0
}
