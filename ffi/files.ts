/** Files and their locks, without node:fs, whose loading costs a client a millisecond. */
import * as k from './abi/constants.ts'
import { cstring, must, SysError, syscall } from './libc.ts'

const STATX_BASIC = 0x7ff

export type FileType = 'pipe' | 'other'

/** Whether a pipe has no name in the file system, as pipe(2) makes them: one that has is a file of the host. */
function isNameless(fd: number): boolean {
  const link = new Uint8Array(64)
  const n = syscall('readlinkat', k.AT_FDCWD, cstring(`/proc/self/fd/${fd}`), link, link.length)
  return n > 0 && Buffer.from(link.subarray(0, n)).toString().startsWith('pipe:[')
}

/** What a descriptor is open on; undefined when it is closed. */
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
  /** What the kernel says of it (struct statx). */
  readonly stat: DataView
}

/** What bytes go to or come from at a descriptor; undefined when it is closed. */
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

/** Whether both are open on one file: device and inode. */
export function isSameStream(a: Stream | undefined, b: Stream | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    [32, 36, 136, 140].every((at) => a.stat.getUint32(at, true) === b.stat.getUint32(at, true))
  )
}

/** Where a file is read or written next (lseek(2)). Throws SysError. */
export function position(fd: number): number {
  return must('lseek', undefined, fd, 0, 1 /* SEEK_CUR */)
}

/** Have a file be read or written next at `offset`. */
export function seek(fd: number, offset: number): void {
  syscall('lseek', fd, offset, 0 /* SEEK_SET */)
}

/** Whether it is a socket. */
export function descriptorIsSocket(fd: number): boolean {
  const stat = new Uint8Array(256)
  if (syscall('statx', fd, cstring(''), k.AT_EMPTY_PATH, STATX_BASIC, stat) < 0) return false
  return (new DataView(stat.buffer).getUint16(28, true) & k.S_IFMT) === k.S_IFSOCK
}

/** Read at an offset (pread(2)); bytes, fewer only at the end of the file. Throws SysError. */
export function readAt(fd: number, bytes: Uint8Array, offset: number): number {
  if (!bytes.length) return 0
  return must('pread64', undefined, fd, bytes, bytes.length, offset)
}

/** Write at an offset (pwrite(2)). Throws SysError; ENOSPC also when there was room for a part. */
export function writeAt(fd: number, bytes: Uint8Array, offset: number): void {
  if (!bytes.length) return
  const n = must('pwrite64', undefined, fd, bytes, bytes.length, offset)
  if (n === 0) throw new SysError('pwrite64', -28 /* ENOSPC */)
  if (n < bytes.length) writeAt(fd, bytes.subarray(n), offset + n)
}

/** Open or make a file of ours for locking; close-on-exec, mode 0600. Throws SysError. */
export function openLockFile(path: string): number {
  return must('openat', path, k.AT_FDCWD, cstring(path), k.O_RDWR | k.O_CREAT | k.O_CLOEXEC, 0o600)
}

/** Take the lock if nobody has it; a shared one if all others are. It is gone with the descriptor, also when the process is killed. */
export function tryLock(fd: number, how: 'alone' | 'shared' = 'alone'): boolean {
  return syscall('flock', fd, (how === 'alone' ? k.LOCK_EX : k.LOCK_SH) | k.LOCK_NB) === 0
}

/** Wait for the lock. Blocks the whole process. */
export function lock(fd: number): void {
  while (syscall('flock', fd, k.LOCK_EX) === -4 /* EINTR */);
}

/** Reserve room for a file of `size` bytes (fallocate(2)). Throws SysError, such as ENOSPC. */
export function allocate(fd: number, size: number): void {
  const result = syscall('fallocate', fd, 0, 0, size)
  if (result < 0 && result !== -95 /* EOPNOTSUPP: some network file systems */)
    throw new SysError('fallocate', result)
}

/** Make a descriptor /dev/null: whoever waits for the other end of what it was need not wait for us. */
export function redirectToNull(fd: number): void {
  const nowhere = must('openat', '/dev/null', k.AT_FDCWD, cstring('/dev/null'), k.O_RDWR | k.O_CLOEXEC, 0)
  must('dup3', undefined, nowhere, fd, 0)
  syscall('close', nowhere)
}

/** Whether there is something by that name that may be looked at; links are followed. */
export function isThere(path: string): boolean {
  return syscall('statx', k.AT_FDCWD, cstring(path), 0, STATX_BASIC, new Uint8Array(256)) === 0
}
