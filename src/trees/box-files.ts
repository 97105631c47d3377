/** The files of a box for `coop cp`: init finds, opens and makes them for the daemon, which passes them on. */

import * as k from '../../ffi/abi/constants.ts'
import { errnoName } from '../../ffi/abi/errno.ts'
import { abi } from '../../ffi/abi/index.ts'
import type { Ref } from '../../ffi/batch.ts'
import type { BatchReply, Channel } from '../../ffi/channel.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { CopyEntry, Created, FileTime, NewEntry, Place } from '../protocol/calls/copies.ts'
import {
  CopyBatch,
  entryOf,
  foundAt,
  foundSpace,
  foundStat,
  isKernelFile,
  linkAt,
  linkSpace,
  linkTarget,
  MISSING,
} from './copy-batch.ts'

/** Entries, and descriptors of the open ones, in order. The receiver owns the descriptors. */
export interface Opened<T> {
  readonly entries: readonly T[]
  readonly fds: readonly number[]
}

/** A written file that does not have its final name yet. */
export interface Unfinished {
  readonly folder: Place
  readonly temporary: string
  readonly name: string
}

/** The errno name of the first operation that failed; undefined if none did. */
function failure(reply: BatchReply, ...refs: readonly Ref[]): string | undefined {
  for (const ref of refs) {
    const result = reply.results[ref.index] ?? 0
    if (result < 0) return errnoName(-result)
  }
  return undefined
}

function missing(error: string): CopyEntry {
  return error === 'ENOENT' || error === 'ENOTDIR' ? MISSING : { ...MISSING, error }
}

export class BoxFiles {
  /** The connection to init; throws if the box does not run. */
  readonly #live: () => Channel

  constructor(live: () => Channel) {
    this.#live = live
  }

  #run(copy: CopyBatch): Promise<BatchReply> {
    return this.#live().run(copy.batch)
  }

  /** Looks at a path. Follows links on the way, and with `follow` also one at its end. */
  async look(path: string, follow: boolean): Promise<CopyEntry> {
    const copy = new CopyBatch()
    const space = foundSpace(copy.batch, 1)
    const opened = copy.inBox(path, k.O_PATH | (follow ? 0 : abi.O_NOFOLLOW))
    const checks = copy.verify(opened, foundAt(space, 0))
    const reply = await this.#run(copy)
    const error = failure(reply, opened, ...checks)
    if (error) return missing(error)
    const entry = entryOf(foundStat(reply.output, 0))
    return isKernelFile(reply.output, 0) ? { ...entry, type: 'kernel' } : entry
  }

  /** Looks at names of a folder; opens files for reading, reads links. */
  async open(folder: Place, names: readonly string[], follow: boolean): Promise<Opened<CopyEntry>> {
    const entries = follow
      ? await Promise.all(names.map((name) => this.look(`${folder.top}/${folder.below}/${name}`, true)))
      : await this.#stat(folder, names)
    await this.#readLinks(folder, names, entries)
    return this.#openFiles(folder, names, entries, follow)
  }

  async #stat(folder: Place, names: readonly string[]): Promise<CopyEntry[]> {
    const copy = new CopyBatch()
    const space = foundSpace(copy.batch, names.length)
    const dir = copy.folder(folder)
    const stats = names.map((name, index) => copy.stat(dir, name, foundAt(space, index)))
    const reply = await this.#run(copy)
    return stats.map((stat, index) => {
      const error = failure(reply, dir, stat)
      return error ? missing(error) : entryOf(foundStat(reply.output, index))
    })
  }

  async #readLinks(folder: Place, names: readonly string[], entries: CopyEntry[]): Promise<void> {
    const links = names.flatMap((name, at) => (entries[at]?.type === 'link' ? [{ name, at }] : []))
    if (!links.length) return
    const copy = new CopyBatch()
    const space = linkSpace(copy.batch, links.length)
    const dir = copy.folder(folder)
    const read = links.map(({ name }, index) => copy.link(dir, name, linkAt(space, index)))
    const reply = await this.#run(copy)
    links.forEach(({ at }, index) => {
      const [ref, entry] = [read[index], entries[at]]
      if (!ref || !entry) return
      const error = failure(reply, dir, ref)
      const length = reply.results[ref.index] ?? 0
      entries[at] = error
        ? { ...entry, error }
        : { ...entry, target: linkTarget(reply.output, index, length) }
    })
  }

  async #openFiles(
    folder: Place,
    names: readonly string[],
    entries: CopyEntry[],
    follow: boolean,
  ): Promise<Opened<CopyEntry>> {
    const files = names.flatMap((name, at) => (entries[at]?.type === 'file' ? [{ name, at }] : []))
    const copy = new CopyBatch()
    const space = foundSpace(copy.batch, files.length)
    const reads = files.map(({ name }, index) => {
      const to = foundAt(space, index)
      if (follow) return copy.readFollowed(`${folder.top}/${folder.below}/${name}`, to)
      return copy.read(copy.folder(folder), name, 0, to)
    })
    if (!files.length) return { entries, fds: [] }
    const reply = await this.#run(copy)
    const fds: number[] = []
    let sent = 0
    files.forEach(({ at }, index) => {
      const read = reads[index]
      if (!read) return
      const fd = failure(reply, read.opened) ? undefined : reply.fds[sent++]
      entries[at] = checked(reply, read, index, fd, 'file')
      if (fd !== undefined && entries[at]?.open) fds.push(fd)
    })
    return { entries, fds }
  }

  /** Opens a folder for listing. */
  async list(folder: Place): Promise<Opened<CopyEntry>> {
    const copy = new CopyBatch()
    const space = foundSpace(copy.batch, 1)
    const read = copy.read(copy.folder(folder), '.', abi.O_DIRECTORY, foundAt(space, 0))
    const reply = await this.#run(copy)
    const [fd] = reply.fds
    const entry = checked(reply, read, 0, fd, 'folder')
    return { entries: [entry], fds: fd !== undefined && entry.open ? [fd] : [] }
  }

  /** Makes entries. Files are opened for writing, each under the temporary name in its folder. */
  async create(
    folder: Place,
    entries: readonly NewEntry[],
    temporaries: readonly string[],
  ): Promise<Opened<Created>> {
    const copy = new CopyBatch()
    const space = foundSpace(copy.batch, entries.length)
    const dir = copy.folder(folder)
    const made = entries.map((entry, index): readonly Ref[] => {
      const temporary = temporaries[index] ?? ''
      if (entry.type === 'file') return [copy.create(dir, temporary)]
      if (entry.type === 'link') return copy.makeLink(dir, entry, temporary)
      return copy.makeFolder(dir, entry.name, foundAt(space, index))
    })
    const reply = await this.#run(copy)
    const created = entries.map((entry, index): Created => {
      const refs = made[index] ?? []
      // An existing folder is fine: the second operation tells whether it is a folder.
      const error = failure(reply, dir, ...(entry.type === 'folder' ? refs.slice(1) : refs))
      if (error) return { error }
      return entry.type === 'folder' ? { identity: entryOf(foundStat(reply.output, index)).identity } : {}
    })
    return { entries: created, fds: reply.fds }
  }

  /** Makes an empty file of mode 0600 and opens it for writing. No part of its path may be a link. */
  async make(
    folder: string,
    name: string,
  ): Promise<
    { readonly fd: number; readonly error?: undefined } | { readonly fd?: undefined; readonly error: string }
  > {
    const copy = new CopyBatch()
    const dir = copy.straight(folder)
    const made = copy.create(dir, name)
    const reply = await this.#run(copy)
    const [fd] = reply.fds
    const error = failure(reply, dir, made)
    return fd === undefined || error ? { error: error ?? 'EIO' } : { fd }
  }

  /** Gives files their names; returns for each file the reason of a failure. After a failure neither name is left. */
  async finish(files: readonly Unfinished[]): Promise<(string | null)[]> {
    const copy = new CopyBatch()
    const renamed = files.map(({ folder, temporary, name }) => {
      const dir = copy.folder(folder)
      return [dir, copy.rename(dir, temporary, name)] as const
    })
    const reply = await this.#run(copy)
    return renamed.map((refs) => failure(reply, ...refs) ?? null)
  }

  /** Sets mode and time of a folder; returns the reason of a failure. */
  async settle(folder: Place, mode: number, mtime: FileTime): Promise<string | null> {
    const copy = new CopyBatch()
    const refs = copy.settle(folder, mode, mtime)
    return failure(await this.#run(copy), ...refs) ?? null
  }

  async remove(files: readonly Unfinished[]): Promise<void> {
    const copy = new CopyBatch()
    for (const { folder, temporary } of files) copy.remove(copy.folder(folder), temporary)
    await this.#run(copy)
  }
}

/** An opened entry, if it is still the one that was looked at; otherwise its descriptor is closed. */
function checked(
  reply: BatchReply,
  read: { readonly opened: Ref; readonly checks: readonly Ref[] },
  index: number,
  fd: number | undefined,
  type: CopyEntry['type'],
): CopyEntry {
  const error = failure(reply, read.opened, ...read.checks)
  if (error || fd === undefined) {
    if (fd !== undefined) closeDescriptor(fd)
    return { ...missing(error ?? 'EIO'), error: error ?? 'EIO' }
  }
  const entry = entryOf(foundStat(reply.output, index))
  const kernel = isKernelFile(reply.output, index)
  if (entry.type === type && !kernel) return { ...entry, open: true }
  closeDescriptor(fd)
  return kernel ? { ...entry, type: 'kernel' } : { ...entry, error: 'ESTALE' }
}
