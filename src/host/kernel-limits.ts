/**
 * Limits of the kernel whose errors look like those of a full disk: ENOSPC of a terminal, of a mount or of a
 * namespace says that a table is full, and freeing space helps none of them.
 */

import { readFileSync } from 'node:fs'
import { BatchError } from '../../ffi/batch.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'

/** What opening a terminal is called in a batch; its errors are told from others by it. */
export const OPEN_TERMINAL = 'open a terminal in the box'

/**
 * Terminals (PTYs) of one box: the machine has 3,072 for all boxes and containers (kernel.pty.max less
 * kernel.pty.reserve), and a tmux with a window for each of a hundred agents still fits.
 */
export const BOX_TERMINALS = 256

/** Calls that make a mount or a namespace; no file is written by them. */
const MOUNTING = new Set(['mount', 'move_mount', 'open_tree', 'fsmount', 'pivot_root'])
const NAMESPACES = new Set(['clone', 'clone3', 'unshare'])
/** Node's names for its watchers of files, which are inotify's: ENOSPC is user.max_inotify_watches. */
const WATCHING = new Set(['watch', 'inotify_add_watch', 'inotify_init1'])

function callOf(error: unknown): string | undefined {
  if (error instanceof BatchError) return error.what === OPEN_TERMINAL ? OPEN_TERMINAL : error.syscall
  const { syscall } = error as { syscall?: unknown }
  return typeof syscall === 'string' ? syscall : undefined
}

/** Whether ENOSPC of it has nothing to do with a disk. */
export function isKernelLimit(error: unknown): boolean {
  const call = callOf(error)
  return (
    call !== undefined &&
    (call === OPEN_TERMINAL || MOUNTING.has(call) || NAMESPACES.has(call) || WATCHING.has(call))
  )
}

/** Reads a kernel parameter (proc(5)); undefined when it is not there. */
export type Parameter = (name: string) => number | undefined

export function parameter(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'))
  } catch {
    return undefined
  }
}

/** The words for a terminal that the kernel did not give. `name`: the box's. */
export function terminalError(error: unknown, name: string, read: Parameter = parameter): unknown {
  if (!(error instanceof BatchError) || error.what !== OPEN_TERMINAL || error.code !== 'ENOSPC') return error
  const [used = 0, most = Number.POSITIVE_INFINITY, reserved = 0] = ['nr', 'max', 'reserve'].map((word) =>
    read(`kernel.pty.${word}`),
  )
  if (used < most - reserved)
    return new CoopError(
      'E_FAILED',
      `the box ${name} has no terminal (PTY) left: it may have ${BOX_TERMINALS}`,
      {
        hint: `end programs in it that hold terminals: coop exec -T -n ${name} -- ls /dev/pts; or coop stop ${name}`,
        cause: error,
      },
    )
  const sentence = `this machine has no terminal (PTY) left for the box ${name}: ${used} are open, and kernel.pty.max is ${most}`
  return new CoopError('E_FAILED', `${sentence}, ${reserved} of them kept for the host`, {
    hint: `end boxes and programs that hold many terminals, or: sudo sysctl kernel.pty.max=${2 * most}`,
    cause: error,
  })
}

/** The words for a full table of mounts; anything else is given back as it is. */
export function mountsError(error: unknown, sentence: string, read: Parameter = parameter): unknown {
  const call = callOf(error)
  if (errnoOf(error) !== 'ENOSPC' || call === undefined || !MOUNTING.has(call)) return error
  const most = read('fs.mount-max')
  return new CoopError('E_ISOLATION', `${sentence}; a mount namespace may have ${most ?? 'no more'} mounts`, {
    hint: `unmount what is not needed, or: sudo sysctl fs.mount-max=${2 * (most ?? 100_000)}`,
    cause: error,
  })
}

const KINDS = ['user', 'mnt', 'pid', 'uts', 'ipc', 'cgroup', 'net'] as const

/** The parameter that a refused namespace is most likely about: the lowest of those of namespaces. */
export function tightestNamespaces(read: Parameter = parameter): {
  readonly name: string
  readonly most: number
} {
  const limits = KINDS.flatMap((kind) => {
    const name = `user.max_${kind}_namespaces`
    const most = read(name)
    return most === undefined ? [] : [{ name, most }]
  })
  const start = limits[0] ?? { name: 'user.max_user_namespaces', most: 0 }
  return limits.reduce((lowest, limit) => (limit.most < lowest.most ? limit : lowest), start)
}
