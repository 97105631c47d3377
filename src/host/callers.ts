/** Reads what a process hands down to its children (sandbox/caller.ts). */
import { closeSync, openSync, readSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { prioritiesOf, processorsOf } from '../../ffi/inherited.ts'
import { type Caller, LIMITS, type Limit, type LimitName, outdoes, UNLIMITED } from '../sandbox/caller.ts'

/** The kernel's numbers of limits. */
export const RESOURCES: Readonly<Record<LimitName, number>> = {
  'Max cpu time': k.RLIMIT_CPU,
  'Max file size': k.RLIMIT_FSIZE,
  'Max data size': k.RLIMIT_DATA,
  'Max stack size': k.RLIMIT_STACK,
  'Max resident set': k.RLIMIT_RSS,
  'Max processes': k.RLIMIT_NPROC,
  'Max open files': k.RLIMIT_NOFILE,
  'Max locked memory': k.RLIMIT_MEMLOCK,
  'Max address space': k.RLIMIT_AS,
  'Max file locks': k.RLIMIT_LOCKS,
  'Max pending signals': k.RLIMIT_SIGPENDING,
  'Max msgqueue size': k.RLIMIT_MSGQUEUE,
  'Max nice priority': k.RLIMIT_NICE,
  'Max realtime priority': k.RLIMIT_RTPRIO,
  'Max realtime timeout': k.RLIMIT_RTTIME,
}

type Limits = Caller['limits']

/** The limits in the text of proc_pid_limits(5). */
export function parseLimits(text: string): Limits {
  const number = (word: string | undefined): number =>
    word === undefined || word === 'unlimited' ? UNLIMITED : Math.min(Number(word), UNLIMITED)
  const limits: Partial<Record<LimitName, Limit>> = {}
  for (const name of LIMITS) {
    const [, soft, hard] = new RegExp(`^${name} +(\\d+|unlimited) +(\\d+|unlimited)`, 'm').exec(text) ?? []
    limits[name] = [number(soft), number(hard)]
  }
  return limits as Record<LimitName, Limit>
}

// Most callers of a user have the same limits: one read and one comparison take a third of fifteen calls of prlimit(2).
let last: { readonly text: string; readonly limits: Limits } | undefined

function limitsOf(pid: number): Limits {
  const text = readProcess(pid, 'limits')
  if (last?.text !== text) last = { text, limits: parseLimits(text) }
  return last.limits
}

const buffer = Buffer.alloc(4096)

function readProcess(pid: number, name: 'limits' | 'status'): string {
  const fd = openSync(`/proc/${pid}/${name}`, 'r')
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer))
  } finally {
    closeSync(fd)
  }
}

/** Returns undefined if the process is gone; its box then gets neutral values. */
export function callerOf(pid: number | undefined): Caller | undefined {
  if (!pid) return undefined
  try {
    const limits = limitsOf(pid)
    // Only here does the kernel show the umask of another process (proc_pid_status(5), Linux 4.7).
    const [, umask] = /^Umask:\t([0-7]+)$/m.exec(readProcess(pid, 'status')) ?? []
    const processors = Buffer.from(processorsOf(pid)).toString('hex')
    return {
      umask: umask === undefined ? 0o022 : Number.parseInt(umask, 8),
      ...prioritiesOf(pid),
      processors,
      limits,
    }
  } catch {
    return undefined
  }
}

/** Returns a caller with its PATH, for a box that outlives it. */
export function withPath(
  caller: Caller | undefined,
  { PATH: path }: Readonly<Record<string, string>>,
): Caller | undefined {
  return caller && path ? { ...caller, path } : caller
}

let own: Caller | undefined

/** Returns whether a daemon that another process starts could give boxes more than this one. */
export function isOutdoneBy(other: Caller | undefined): boolean {
  own ??= callerOf(process.pid)
  return own !== undefined && other !== undefined && outdoes(other, own)
}
