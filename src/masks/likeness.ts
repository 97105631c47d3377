/**
 * How the mask of a tracked secret looks, so that git in the box sees neither a changed nor a deleted file: git compares
 * length, time of change and mode with its index before it reads anything (git-update-index(1), core.checkStat).
 */
import * as k from '../../ffi/abi/constants.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { readInside } from '../../ffi/small-file.ts'
import { statAt } from '../../ffi/tree.ts'
import type { LikeEntry, Likeness } from '../container/mask-batch.ts'
import { indexNames } from './git-index.ts'
import type { Hidden } from './hidden.ts'
import { nameText, openFolderAt } from './scan.ts'

const MAX_INDEX = 256 << 20 // bytes; a million files take 100 MB
const MAX_TRACKED = 20_000 // files in one hidden folder
const POINTER = /^gitdir: (.+)\n?$/

/** Tells which hidden names git tracks. One look reads each repository's index once. */
export class TrackedNames {
  readonly #top: string
  readonly #fd: number
  /** By work tree: the hidden names that are in its index, relative to the top. */
  readonly #trees = new Map<string, ReadonlySet<string> | 'unknown' | undefined>()
  readonly #hidden: readonly Hidden[]

  /** `fd`: the open top, the caller's. */
  constructor(top: string, fd: number, hidden: readonly Hidden[]) {
    this.#top = top
    this.#fd = fd
    this.#hidden = hidden
  }

  /** Undefined for a name that git does not track: its mask is empty. */
  likeness({ path, folder }: Hidden): Likeness | undefined {
    const tree = this.#treeOf(path)
    const tracked = tree === undefined ? undefined : this.#trees.get(tree)
    if (tracked === undefined) return undefined
    if (!folder) return tracked === 'unknown' || tracked.has(path) ? this.#like(path, '') : undefined
    if (tracked === 'unknown') return undefined
    const below = [...tracked].filter((name) => name.startsWith(`${path}/`)).slice(0, MAX_TRACKED)
    const entries = below.flatMap((name) => this.#like(name, name.slice(path.length + 1))?.entries ?? [])
    return entries.length ? { entries } : undefined
  }

  /** The nearest folder with a `.git`. */
  #treeOf(path: string): string | undefined {
    for (let end = path.lastIndexOf('/'); ; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, Math.max(0, end))
      if (!this.#trees.has(folder)) this.#trees.set(folder, this.#trackedIn(folder))
      if (this.#trees.get(folder) !== undefined) return folder
      if (end <= 0) return undefined
    }
  }

  #trackedIn(folder: string): ReadonlySet<string> | 'unknown' | undefined {
    const git = folder ? `${folder}/.git` : '.git'
    const kind = this.#kind(git)
    if (kind === undefined) return undefined
    const index = kind === 'folder' ? `${git}/index` : this.#pointed(folder, git)
    if (index === undefined) return 'unknown'
    const bytes = this.#read(index, MAX_INDEX)
    if (!bytes) return new Set()
    const prefix = folder ? `${folder}/` : ''
    const names = new Set(this.#hidden.map(({ path }) => path))
    const folders = this.#hidden.filter((one) => one.folder).map(({ path }) => `${path}/`)
    const found = new Set<string>()
    const note = (name: string): void => {
      const path = prefix + name
      if (names.has(path) || folders.some((one) => path.startsWith(one))) found.add(path)
    }
    // The size of hashes is in the configuration; only one of them makes sense of the entries.
    if (indexNames(bytes, 20, note) || indexNames(bytes, 32, note)) return found
    return 'unknown'
  }

  /** The index of a linked work tree or a submodule, if it lies below the top. */
  #pointed(folder: string, git: string): string | undefined {
    const [, to] = POINTER.exec(this.#read(git, 4096)?.toString('latin1') ?? '') ?? []
    if (!to) return undefined
    const inside = `${this.#top}/`
    const parts = to.startsWith('/')
      ? to.startsWith(inside)
        ? to.slice(inside.length).split('/')
        : undefined
      : [...(folder ? folder.split('/') : []), ...to.split('/')]
    const at: string[] = []
    for (const part of parts ?? ['..'])
      if (part !== '..') at.push(part)
      else if (at.pop() === undefined) return undefined
    return [...at, 'index'].join('/')
  }

  #read(path: string, most: number): Buffer | undefined {
    try {
      const bytes = readInside(this.#top, nameText(path), most)
      return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    } catch {
      return undefined
    }
  }

  #at<T>(path: string, use: (folder: number, name: string) => T): T | undefined {
    const slash = path.lastIndexOf('/')
    const folder = openFolderAt(this.#fd, path.slice(0, Math.max(0, slash)))
    if (folder === undefined) return undefined
    try {
      return use(folder, path.slice(slash + 1))
    } catch (error) {
      if (error instanceof SysError) return undefined
      throw error
    } finally {
      closeDescriptor(folder)
    }
  }

  #kind(path: string): 'folder' | 'file' | undefined {
    return this.#at(path, (folder, name) => {
      const { type } = statAt(folder, name)
      return type === k.S_IFDIR ? 'folder' : type === k.S_IFREG ? 'file' : undefined
    })
  }

  #like(path: string, name: string): Likeness | undefined {
    const entry = this.#at(path, (folder, last): LikeEntry | undefined => {
      const { type, mode, size, mtime } = statAt(folder, last)
      if (type !== k.S_IFREG && type !== k.S_IFLNK) return undefined
      return { name, link: type === k.S_IFLNK, executable: (mode & 0o100) !== 0, size: Number(size), mtime }
    })
    return entry && { entries: [entry] }
  }
}
