/**
 * Limits of the kernel whose errors look like those of a full disk. ENOSPC for a terminal, a mount or a namespace means
 * that a kernel table is full, and freeing disk space does not help.
 */

import { readFileSync } from 'node:fs'
import { BatchError } from '../../ffi/batch.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'

/** The purpose in a batch of opening a terminal; it tells this operation's errors from others. */
export const OPEN_TERMINAL = 'open a terminal in the box'

/**
 * Terminals (PTYs) per box. The machine has 3,072 for all boxes and containers (kernel.pty.max less
 * kernel.pty.reserve), and a tmux with a window for each of a hundred agents still fits.
 */
export const BOX_TERMINALS = 256

/** Calls that make a mount or a namespace and write no file. */
const MOUNTING = new Set(['mount', 'move_mount', 'open_tree', 'fsmount', 'pivot_root'])
const NAMESPACES = new Set(['clone', 'clone3', 'unshare'])
/** Node's names for its file watchers, which use inotify: their ENOSPC concerns user.max_inotify_watches. */
const WATCHING = new Set(['watch', 'inotify_add_watch', 'inotify_init1'])

function callOf(error: unknown): string | undefined {
  if (error instanceof BatchError) return error.what === OPEN_TERMINAL ? OPEN_TERMINAL : error.syscall
  const { syscall } = error as { syscall?: unknown }
  return typeof syscall === 'string' ? syscall : undefined
}

/** Whether ENOSPC of this error has nothing to do with a disk. */
export function isKernelLimit(error: unknown): boolean {
  const call = callOf(error)
  return (
    call !== undefined &&
    (call === OPEN_TERMINAL || MOUNTING.has(call) || NAMESPACES.has(call) || WATCHING.has(call))
  )
}

/** Reads a kernel parameter (proc(5)); undefined if it does not exist. */
export type Parameter = (name: string) => number | undefined

export function parameter(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'))
  } catch {
    return undefined
  }
}

/** The message for a terminal that the kernel refused. `name` is the box's. */
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
        hint: `end programs that hold its terminals (coop exec -T -n ${name} -- ls /dev/pts lists them), or run coop stop ${name}`,
        cause: error,
      },
    )
  const sentence = `this machine has no terminal (PTY) left for the box ${name}: ${used} are open, and kernel.pty.max is ${most}`
  return new CoopError('E_FAILED', `${sentence}, ${reserved} of them kept for the host`, {
    hint: `end boxes and programs that hold many terminals, or run sudo sysctl kernel.pty.max=${2 * most}`,
    cause: error,
  })
}

/** The message for a full table of mounts; returns other errors unchanged. */
export function mountsError(error: unknown, sentence: string, read: Parameter = parameter): unknown {
  const call = callOf(error)
  if (errnoOf(error) !== 'ENOSPC' || call === undefined || !MOUNTING.has(call)) return error
  const most = read('fs.mount-max')
  return new CoopError('E_ISOLATION', `${sentence}; a mount namespace may have ${most ?? 'no more'} mounts`, {
    hint: `unmount unneeded file systems, or run sudo sysctl fs.mount-max=${2 * (most ?? 100_000)}`,
    cause: error,
  })
}

const KINDS = ['user', 'mnt', 'pid', 'uts', 'ipc', 'cgroup', 'net'] as const

/** The parameter behind a refused namespace, most likely: the lowest limit of namespaces. */
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
