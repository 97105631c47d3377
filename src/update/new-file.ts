/**
 * A file that takes the place of another in one step. Until then it has no name, where the file system can do that
 * (O_TMPFILE): whatever ends this process, even SIGKILL, leaves nothing behind. Elsewhere it has a temporary name and a
 * lock, so that the next update removes it.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { tryLock } from '../../ffi/files.ts'
import { cstring, must } from '../../ffi/libc.ts'
import { errnoOf } from '../core/errno.ts'

const TEMPORARY = /^\.coop-update-[0-9a-f]{32}$/
const temporaryName = (): string => `.coop-update-${crypto.randomUUID().replaceAll('-', '')}`
const NAMELESS = abi.O_TMPFILE | k.O_RDWR | k.O_CLOEXEC
const WITHOUT_NAMELESS = ['EOPNOTSUPP', 'EISDIR', 'ENOENT'] // open(2): file systems and kernels without O_TMPFILE

/** Files of this process that have a temporary name. */
const named = new Set<string>()

/** Removes them, for a process that is about to end in the middle. */
export function abandonFiles(): void {
  for (const name of named) rmSync(name, { force: true })
}

/** Owner and mode of the file that will be replaced. */
export interface Ownership {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

export class NewFile implements Disposable {
  readonly #folder: string
  #fd: number
  /** Its path while it has a temporary name. */
  #name: string | undefined

  /** Makes the file in a folder, for this user only. Raises errors of node:fs. `hasName`: as without O_TMPFILE. */
  constructor(folder: string, hasName = false) {
    this.#folder = folder
    const nameless = hasName ? undefined : openNameless(folder)
    if (nameless === undefined) {
      this.#name = join(folder, temporaryName())
      named.add(this.#name)
      this.#fd = openSync(this.#name, k.O_RDWR | k.O_CREAT | k.O_EXCL | k.O_CLOEXEC, 0o600)
    } else this.#fd = nameless
    tryLock(this.#fd, 'shared')
  }

  /** Adds bytes: all of them, or an error such as ENOSPC. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
  }

  /** The file is whole: it gets owner and mode, and is on disk when this returns. */
  finish({ uid, gid, mode }: Ownership): void {
    if (uid !== process.geteuid?.() || gid !== process.getegid?.()) fchownSync(this.#fd, uid, gid)
    fchmodSync(this.#fd, mode & 0o777) // after the owner: a change of owner may change the mode
    fsyncSync(this.#fd)
    // The kernel runs no file that is open for writing (ETXTBSY).
    const reading = openSync(this.path, 'r')
    tryLock(reading, 'shared')
    closeSync(this.#fd)
    this.#fd = reading
  }

  /** A path of this process that leads to the file, whatever its name is. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`
  }

  /** Puts the file into the place of `path`, in the same folder. Raises errors of node:fs, and SysError. */
  replace(path: string): void {
    const name = this.#name ?? join(this.#folder, temporaryName())
    // link(2) does not follow the link of /proc to a file without a name.
    if (this.#name === undefined)
      must('linkat', name, k.AT_FDCWD, cstring(this.path), k.AT_FDCWD, cstring(name), k.AT_SYMLINK_FOLLOW)
    this.#name = name
    renameSync(name, path)
    this.#forget()
    syncFolder(this.#folder)
  }

  [Symbol.dispose](): void {
    if (this.#name !== undefined) rmSync(this.#name, { force: true })
    this.#forget()
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }

  #forget(): void {
    if (this.#name !== undefined) named.delete(this.#name)
    this.#name = undefined
  }
}

/** Undefined if the file system cannot do it. */
function openNameless(folder: string): number | undefined {
  try {
    return openSync(folder, NAMELESS, 0o600)
  } catch (error) {
    if (WITHOUT_NAMELESS.includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

/** Puts another name of a file of the same file system into the place of `path`. Raises errors of node:fs: EXDEV. */
export function replaceByLink(file: string, path: string): void {
  const name = join(dirname(path), temporaryName())
  try {
    linkSync(file, name)
    renameSync(name, path) // does nothing if both are names of one file: the finally removes the other one
    syncFolder(dirname(path))
  } finally {
    rmSync(name, { force: true })
  }
}

/** Makes the names in a folder outlive a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Removes the files of updates that were killed. A running one holds a lock on its own. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!TEMPORARY.test(name)) continue
    try {
      const fd = openSync(join(folder, name), k.O_RDONLY | k.O_NONBLOCK | abi.O_NOFOLLOW | k.O_CLOEXEC)
      if (tryLock(fd)) rmSync(join(folder, name), { force: true })
      closeSync(fd)
    } catch {
      // Another user's; or gone meanwhile.
    }
  }
}
