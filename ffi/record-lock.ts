/**
 * Record locks (F_SETLK, fcntl(2)). Each lock belongs to a process and ends with it. It also ends when the process
 * closes any descriptor of the file.
 */
import { F_GETLK, F_SETLK, F_UNLCK, F_WRLCK } from './abi/constants.ts'
import { syscall } from './libc.ts'

/** struct flock of 64-bit kernels, for the whole file: type at offset 0, pid at 24. */
function flock(type: number): Uint8Array {
  const lock = new Uint8Array(32)
  lock[0] = type
  return lock
}

const taken = flock(F_WRLCK)
const free = flock(F_UNLCK)

/** Lock a file unless another process has locked it. */
export function tryLockRecord(fd: number): boolean {
  return syscall('fcntl', fd, F_SETLK, taken) === 0
}

export function unlockRecord(fd: number): void {
  syscall('fcntl', fd, F_SETLK, free)
}

/** The process that holds the lock; undefined if none does. */
export function lockHolder(fd: number): number | undefined {
  const lock = flock(F_WRLCK)
  if (syscall('fcntl', fd, F_GETLK, lock) < 0 || lock[0] === F_UNLCK) return undefined
  return new DataView(lock.buffer).getInt32(24, true)
}
