/**
 * A cgroup of its own for each box, where the host lets coop make one: below the daemon's, in a tree of cgroup v2 that
 * belongs to the user (a systemd user session) or to root. It is the root of the box's cgroup namespace, so that whatever
 * the box might ever reach of the tree is itself and not the user's other programs.
 *
 * Init is cloned into it: moving a process there takes the kernel's lock on all forks and waits for a grace period of
 * RCU. Where there is no such tree, boxes stay in the daemon's cgroup, and only the filter keeps them from mounting it.
 */

import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../core/errno.ts'

const PREFIX = 'coop-box-'
const SWEEP_MS = 50 // the last process of a box is reaped a moment after its end was told
const SHORT = new Set(['EAGAIN', 'ENOMEM', 'ENOSPC'])

/** This process's folder in a mounted cgroup v2 tree; undefined when none of it can be seen (cgroups(7)). */
export function ownCgroup(cgroup: string, mountinfo: string): string | undefined {
  const own = /^0::(\/.*)$/m.exec(cgroup)?.[1]
  // Beside or above the root of this cgroup namespace: another's to decide.
  if (own === undefined || own.split('/').includes('..')) return undefined
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const [, , , root = '', at = ''] = left.split(' ')
    if (!right.startsWith('cgroup2 ')) continue
    if (root === '/') return join(at, own)
    if (own === root || own.startsWith(`${root}/`)) return join(at, own.slice(root.length))
  }
  return undefined
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Whether processes may be put into a child of it by this one: both take write access (cgroups(7), delegation). */
function isOurs(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK)
    return true
  } catch {
    return false
  }
}

export class Cgroups {
  readonly #prefix: string
  #parent: string | undefined
  readonly #log: (event: string, fields?: Readonly<Record<string, unknown>>) => void
  /** Of boxes that have ended, or are about to. */
  readonly #leaving = new Set<string>()
  #timer: Timer | undefined

  /** `dataDir` tells the cgroups of this daemon from those of another one in the same folder. */
  constructor(
    dataDir: string,
    log: (event: string, fields?: Readonly<Record<string, unknown>>) => void,
    parent = ownCgroup(read('/proc/self/cgroup'), read('/proc/self/mountinfo')),
  ) {
    this.#log = log
    this.#prefix = `${PREFIX}${Bun.hash(dataDir).toString(16)}-`
    this.#parent = parent !== undefined && isOurs(parent) ? parent : undefined
  }

  /** A new one; undefined when the host lets us make none. */
  make(): string | undefined {
    if (this.#parent === undefined) return undefined
    const path = join(this.#parent, `${this.#prefix}${crypto.randomUUID()}`)
    try {
      mkdirSync(path, { mode: 0o755 })
      return path
    } catch (error) {
      this.#log('cgroup-not-made', { error: String(error) })
      return undefined
    }
  }

  /** No process can be cloned into it: boxes are made without one from now on, unless the machine is only short of something. */
  refused(path: string, error: unknown): void {
    this.#log('cgroup-refused', { error: String(error) })
    const { cause } = error as { cause?: { code?: string } }
    if (!SHORT.has(cause?.code ?? '')) this.#parent = undefined
    this.remove(path)
  }

  /** Remove it as soon as its last process has gone. */
  remove(path: string | undefined): void {
    if (path !== undefined && basename(path).startsWith(this.#prefix)) this.#leaving.add(path)
    this.sweep()
    if (this.#leaving.size === 0 || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.remove(undefined)
    }, SWEEP_MS)
    this.#timer.unref()
  }

  /** Remove those whose processes have gone meanwhile; a process keeps its cgroup (EBUSY) until it is reaped. */
  sweep(): void {
    for (const path of this.#leaving) if (removed(path)) this.#leaving.delete(path)
  }

  get leaving(): number {
    return this.#leaving.size
  }

  /** After adoption: what earlier daemons left, where this one runs and where the boxes were. `kept`: of living boxes. */
  clear(known: readonly string[], kept: ReadonlySet<string>): void {
    const parents = new Set([...(this.#parent === undefined ? [] : [this.#parent]), ...known.map(dirname)])
    for (const parent of parents) {
      for (const name of namesIn(parent)) {
        const path = join(parent, name)
        if (name.startsWith(this.#prefix) && !kept.has(path)) this.remove(path)
      }
    }
  }
}

function removed(path: string): boolean {
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    return errnoOf(error) === 'ENOENT'
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // the session has ended, and its cgroup with it
  }
}
