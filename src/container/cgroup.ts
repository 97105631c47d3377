/**
 * A cgroup for each box, where the host allows coop to make one: below the daemon's, in a cgroup v2 tree that belongs
 * to the user (a systemd user session) or to root. It is the root of the box's cgroup namespace. Even if the box
 * reached the tree, it would find only itself and not the user's other programs.
 *
 * Init is cloned into the cgroup: moving a process there later takes the kernel's lock on all forks and waits for a
 * grace period of RCU. Without such a tree boxes stay in the daemon's cgroup, and only the filter keeps them from
 * mounting it.
 */

import { accessSync, chmodSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errnoOf } from '../core/errno.ts'

const PREFIX = 'coop-box-'
const SWEEP_MS = 50 // the last process of a box is reaped a moment after its end is reported
const SHORT = new Set(['EAGAIN', 'ENOMEM', 'ENOSPC'])

/** This process's folder in a mounted cgroup v2 tree; undefined if no part of it is visible (cgroups(7)). */
export function ownCgroup(cgroup: string, mountinfo: string): string | undefined {
  const own = /^0::(\/.*)$/m.exec(cgroup)?.[1]
  // Beside or above the root of this cgroup namespace: others manage that part.
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

/** Whether this process may put processes into a child of the folder: both are writable (cgroups(7), delegation). */
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
  /** Cgroups of boxes that have ended or are about to end. */
  readonly #leaving = new Set<string>()
  #timer: Timer | undefined

  /** `dataDir` tells this daemon's cgroups from those of another daemon in the same folder. */
  constructor(
    dataDir: string,
    log: (event: string, fields?: Readonly<Record<string, unknown>>) => void,
    parent = ownCgroup(read('/proc/self/cgroup'), read('/proc/self/mountinfo')),
  ) {
    this.#log = log
    this.#prefix = `${PREFIX}${Bun.hash(dataDir).toString(16)}-`
    this.#parent = parent !== undefined && isOurs(parent) ? parent : undefined
  }

  /** Make a cgroup; undefined if the host does not allow it. */
  make(): string | undefined {
    if (this.#parent === undefined) return undefined
    const path = join(this.#parent, `${this.#prefix}${crypto.randomUUID()}`)
    try {
      mkdirSync(path)
      chmodSync(path, 0o755) // whatever the umask is: every id of the box may read it
      return path
    } catch (error) {
      this.#log('cgroup-not-made', { error: String(error) })
      return undefined
    }
  }

  /** A clone into this cgroup failed. Later boxes get none, unless the machine was only short of a resource. */
  refused(path: string, error: unknown): void {
    this.#log('cgroup-refused', { error: String(error) })
    const { cause } = error as { cause?: { code?: string } }
    if (!SHORT.has(cause?.code ?? '')) this.#parent = undefined
    this.remove(path)
  }

  /** Remove the cgroup as soon as its last process has ended. */
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

  /** Remove cgroups that have become empty; an unreaped process still occupies its cgroup (EBUSY). */
  sweep(): void {
    for (const path of this.#leaving) if (removed(path)) this.#leaving.delete(path)
  }

  get leaving(): number {
    return this.#leaving.size
  }

  /** After adoption: remove cgroups of earlier daemons, here and where boxes were. `kept`: those of living boxes. */
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
    return [] // the session and its cgroup are gone
  }
}
