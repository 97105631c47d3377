/** Locks on files (flock(2)). */
import { syscall } from './libc.ts'

const LOCK_EX = 2
const LOCK_NB = 4

/** Take the lock if nobody has it. It is gone with the descriptor, also when the process is killed. */
export function tryLock(fd: number): boolean {
  return syscall('flock', fd, LOCK_EX | LOCK_NB) === 0
}

/** Wait for the lock. Blocks the whole process. */
export function lock(fd: number): void {
  while (syscall('flock', fd, LOCK_EX) === -4 /* EINTR */);
}
