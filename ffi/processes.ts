/** Processes of the host, by handles that cannot mean another process later (pidfd_open(2)). */
import { RLIMIT_NOFILE } from './abi/constants.ts'
import { must, syscall } from './libc.ts'
import { isReadable } from './pty.ts'

/** Open a handle, which the caller owns; undefined if there is no such process. */
export function openPidfd(pid: number): number | undefined {
  const fd = syscall('pidfd_open', pid, 0)
  return fd < 0 ? undefined : fd
}

/** Signal the process. Returns 0 or the negated errno. */
export function signalPidfd(pidfd: number, signal: number): number {
  return syscall('pidfd_send_signal', pidfd, signal, 0, 0)
}

/** Whether the process is dead. A dead init of a pid namespace means that everything in it is dead, too. */
export function hasEnded(pidfd: number): boolean {
  return isReadable(pidfd)
}

/**
 * Raise this process's soft limit of open files to the hard one and return it: a shell's 1024 is for programs that use
 * select(2). Programs that coop starts get limits of their own (box/process.ts).
 */
export function raiseOpenFiles(): number {
  const limit = new BigUint64Array(2)
  const bytes = new Uint8Array(limit.buffer)
  must('prlimit64', undefined, 0, RLIMIT_NOFILE, 0, bytes)
  const [soft = 0n, hard = 0n] = limit
  if (soft < hard) {
    limit[0] = hard
    must('prlimit64', undefined, 0, RLIMIT_NOFILE, bytes, 0)
  }
  return Number(hard)
}
