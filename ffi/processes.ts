/** Processes of the host, by handles that cannot mean another process later (pidfd_open(2)). */
import { syscall } from './libc.ts'
import { isReadable } from './pty.ts'

/** A handle, owned by the caller; undefined when there is no such process. */
export function openPidfd(pid: number): number | undefined {
  const fd = syscall('pidfd_open', pid, 0)
  return fd < 0 ? undefined : fd
}

/** Negated errno when it failed. */
export function signalPidfd(pidfd: number, signal: number): number {
  return syscall('pidfd_send_signal', pidfd, signal, 0, 0)
}

/** Whether the process behind the handle is dead; for the init of a pid namespace: everything in it too. */
export function hasEnded(pidfd: number): boolean {
  return isReadable(pidfd)
}
