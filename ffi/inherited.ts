/** Reads and sets what processes inherit (fork(2)): limits, priorities, processors. Process 0 is this one. */
import * as k from './abi/constants.ts'
import { syscall } from './libc.ts'

const MASK = 1024 // bytes; sched_getaffinity(2) fails when the kernel's mask is longer, and kernels have 8192 processors at most
const NICE_0 = 20 // getpriority(2) as a system call returns 20 minus the nice value

/** The soft and the hard limit; undefined if the process is gone or another user's. */
export function limitOf(pid: number, resource: number): readonly [bigint, bigint] | undefined {
  const limit = new BigUint64Array(2)
  const n = syscall('prlimit64', pid, resource, 0, new Uint8Array(limit.buffer))
  return n < 0 ? undefined : [limit[0] ?? 0n, limit[1] ?? 0n]
}

/** Sets both limits of this process. Returns whether the kernel allowed it. */
export function setLimit(resource: number, soft: bigint, hard: bigint): boolean {
  const limit = new BigUint64Array([soft, hard])
  return syscall('prlimit64', 0, resource, new Uint8Array(limit.buffer), 0) >= 0
}

export interface Priorities {
  readonly nice: number
  readonly policy: number
  readonly io: number
}

export function prioritiesOf(pid: number): Priorities {
  return {
    nice: NICE_0 - Math.max(1, syscall('getpriority', 0, pid)),
    policy: Math.max(0, syscall('sched_getscheduler', pid)),
    io: Math.max(0, syscall('ioprio_get', k.IOPRIO_WHO_PROCESS, pid)),
  }
}

/** The mask of processors that a process may use, without zeros at its end; empty if it cannot be read. */
export function processorsOf(pid: number): Uint8Array {
  const mask = new Uint8Array(MASK)
  const n = syscall('sched_getaffinity', pid, mask.length, mask)
  return mask.subarray(0, mask.subarray(0, Math.max(0, n)).findLastIndex((byte) => byte !== 0) + 1)
}

/** Gives a thread of this process the usual priorities and every processor, as far as the kernel allows it. */
export function makeUsual(thread: number): void {
  syscall('sched_setscheduler', thread, k.SCHED_OTHER, new Uint8Array(4))
  syscall('setpriority', 0, thread, 0)
  syscall('ioprio_set', k.IOPRIO_WHO_PROCESS, thread, 0)
  syscall('sched_setaffinity', thread, MASK, new Uint8Array(MASK).fill(0xff))
}
