/**
 * Copies a whole tree: modes, owners, times, attributes, hard links, holes, and overlayfs's marks. An init without a
 * box (copier.ts) does the work, a group of entries at a time, so that the daemon never waits long and its memory does
 * not grow with the tree. Every name is opened in an open folder, and no link is followed: a box may have made the
 * tree, and may still be changing it.
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { openHow, STATX } from '../../ffi/abi/structs.ts'
import { Batch, BatchError, type Ref } from '../../ffi/batch.ts'
import type { BatchReply, Channel } from '../../ffi/channel.ts'
import { FileBytes } from './tree-bytes.ts'
import { attributeNames, type Listed, listed, type TreeStat, treeStat } from './tree-entry.ts'

const LISTING = 64 * 1024 // bytes of one getdents64 answer
const GROUP = 100 // entries of one batch: some milliseconds of work on either side
const NAMES = 1024 // bytes for the names of a file's attributes at the first try
const MOST = 64 * 1024 // XATTR_SIZE_MAX and XATTR_LIST_MAX
const VALUE = 1024 // bytes for an attribute's value at the first try
const TARGET_SIZE = 4096 // PATH_MAX
const ENOUGH_OPS = 1500 // of MAX_OPS; leaves room for one more entry
const FIRST_FREE = 16 // the first of our own descriptors in init
const ERANGE = -34
const ENODATA = -61
const EACCES = -13
const GONE = [-2, -6, -20, -40] // ENOENT, ENXIO, ENOTDIR, ELOOP: a process that still runs has removed it

const READ = k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | abi.O_NOFOLLOW | k.O_CLOEXEC
const CREATE = k.O_WRONLY | k.O_CREAT | k.O_EXCL | abi.O_NOFOLLOW | k.O_CLOEXEC
const NO_MODE = 0o600 // until the file is complete

export interface Copied {
  readonly files: number
  /** Bytes on disk, as in the source; includes blocks shared with the source. */
  readonly bytes: number
}

export interface CopyOptions {
  /** The owner in the copy. */
  owner?(id: number): number
  /** Leave out unreadable files. */
  readonly skipClosed?: boolean
}

interface Attribute {
  readonly name: string
  readonly value: Uint8Array
}

interface Entry extends Listed {
  readonly stat: TreeStat
  /** The target of a link, including its NUL. */
  readonly target: Buffer | undefined
  /** The number of the open file in init. */
  readonly fd: number | undefined
  readonly attributes: readonly Attribute[]
}

const text = (latin1: string): Uint8Array => Buffer.from(`${latin1}\0`, 'latin1')

function failed(name: Buffer, result: number): BatchError {
  return new BatchError({ name: 'openat', what: name.toString('utf8', 0, name.length - 1) }, -result)
}

export class TreeCopy {
  readonly #channel: Channel
  readonly #bytes: FileBytes
  /** The first name in the copy, below its top, of an inode with several names. */
  readonly #linked = new Map<string, Buffer>()
  #top = -1
  #files = 0
  #used = 0

  readonly #options: CopyOptions

  constructor(channel: Channel, options: CopyOptions = {}) {
    this.#channel = channel
    this.#options = options
    this.#bytes = new FileBytes(channel)
  }

  /** Copies between two folders of this process, given by descriptor; the second one is empty. */
  async copy(source: number, target: number): Promise<Copied> {
    const batch = new Batch()
    for (const fd of [source, target]) batch.call('fcntl', [batch.fd(fd), k.F_DUPFD_CLOEXEC, FIRST_FREE])
    const { results } = await this.#channel.run(batch)
    const [from = -1, to = -1] = results
    this.#top = to
    await this.#folder(from, to, Buffer.alloc(0))
    return { files: this.#files, bytes: this.#used }
  }

  /** Copies from a path in init's own root, if there is a folder; a link on the way could lead to init's own /proc. */
  async copyFrom(source: string, target: number): Promise<Copied> {
    const how = openHow({
      flags: k.O_RDONLY | abi.O_DIRECTORY | k.O_CLOEXEC,
      resolve: k.RESOLVE_NO_SYMLINKS,
    })
    const batch = new Batch()
    batch.call('fcntl', [batch.fd(target), k.F_DUPFD_CLOEXEC, FIRST_FREE])
    batch.call('openat2', [k.AT_FDCWD, Buffer.from(`${source}\0`), how, how.length], { mayFail: true })
    const { results } = await this.#channel.run(batch)
    const [to = -1, from = -1] = results
    this.#top = to
    if (from >= 0) await this.#folder(from, to, Buffer.alloc(0))
    else await this.#run((done) => done.call('close', [to]))
    return { files: this.#files, bytes: this.#used }
  }

  /** Whether a result means only that the entry cannot be copied. */
  #isSkipped(result: number): boolean {
    return GONE.includes(result) || (this.#options.skipClosed === true && result === EACCES)
  }

  /** Copies a folder's content and closes both numbers. The folder itself comes last: its content changes its time. */
  async #folder(from: number, to: number, path: Buffer): Promise<void> {
    const folders: Entry[] = []
    for (;;) {
      const batch = new Batch()
      const space = batch.space(LISTING)
      const read = batch.call('getdents64', [from, space, LISTING])
      batch.output(space)
      const { results, output } = await this.#channel.run(batch)
      const length = results[read.index] ?? 0
      if (length === 0) break
      const names = listed(output.subarray(0, length))
      for (let at = 0; at < names.length; at += GROUP) {
        const entries = await this.#look(from, names.slice(at, at + GROUP))
        await this.#make(entries, to, path)
        folders.push(...entries.filter(({ stat }) => stat.type === k.S_IFDIR))
      }
    }
    for (const { name } of folders) {
      const batch = new Batch()
      const flags = k.O_RDONLY | abi.O_DIRECTORY | abi.O_NOFOLLOW | k.O_CLOEXEC
      batch.call('openat', [to, name, flags])
      batch.call('openat', [from, name, flags], { mayFail: true })
      const { results } = await this.#channel.run(batch)
      const [below = -1, source = -1] = results
      if (source < 0 && !this.#isSkipped(source)) throw failed(name, source)
      if (source < 0) await this.#run((done) => done.call('close', [below]))
      else await this.#folder(source, below, Buffer.concat([path, name.subarray(0, -1), Buffer.from('/')]))
    }
    const [self] = await this.#look(from, [{ name: Buffer.from('\0'), type: k.S_IFDIR }], from)
    const batch = new Batch()
    if (self) this.#dress(batch, self, to)
    batch.call('close', [from])
    batch.call('close', [to])
    await this.#channel.run(batch)
  }

  #run(build: (batch: Batch) => void): Promise<BatchReply> {
    const batch = new Batch()
    build(batch)
    return this.#channel.run(batch)
  }

  /** Looks at some names of a folder and opens files. Names that are gone are left out. `open`: the folder itself. */
  async #look(from: number, names: readonly Listed[], open?: number): Promise<Entry[]> {
    const batch = new Batch()
    const slot = STATX.size + NAMES
    const links = names.filter(({ type }) => type === k.S_IFLNK)
    const space = batch.space(names.length * slot + links.length * TARGET_SIZE)
    batch.output(space)
    const linksAt = names.length * slot
    const asked = names.map(({ name, type }, index) => {
      const file =
        type === k.S_IFREG ? batch.call('openat', [from, name, READ], { mayFail: true }) : undefined
      const flags = k.AT_SYMLINK_NOFOLLOW | k.AT_NO_AUTOMOUNT | k.AT_EMPTY_PATH
      const what: readonly [Ref | number, Uint8Array] = file ? [file, text('')] : [from, name]
      const stat = batch.call('statx', [...what, flags, k.STATX_BASIC_STATS, space.at(index * slot)], {
        mayFail: true,
      })
      const of = file ?? open
      const list =
        of === undefined
          ? undefined
          : batch.call('flistxattr', [of, space.at(index * slot + STATX.size), NAMES], { mayFail: true })
      const link = links.findIndex((other) => other.name === name)
      const target =
        link < 0
          ? undefined
          : batch.call('readlinkat', [from, name, space.at(linksAt + link * TARGET_SIZE), TARGET_SIZE - 1], {
              mayFail: true,
            })
      return { file, stat, list, link, target }
    })
    const { results, output } = await this.#channel.run(batch)
    const found: Entry[] = []
    for (const [index, listedAs] of names.entries()) {
      const ask = asked[index]
      const opened = ask?.file ? (results[ask.file.index] ?? 0) : 0
      if (opened < 0 && !this.#isSkipped(opened)) throw failed(listedAs.name, opened)
      if (!ask || (results[ask.stat.index] ?? -1) < 0) continue
      const at = index * slot
      const stat = this.#owned(treeStat(output.subarray(at, at + STATX.size)))
      const length = ask.target ? (results[ask.target.index] ?? -1) : 0
      if (stat.type !== listedAs.type || length < 0) continue // replaced meanwhile
      const linkAt = linksAt + ask.link * TARGET_SIZE
      const fd = ask.file ? results[ask.file.index] : undefined
      const of = fd ?? open
      const size = ask.list ? (results[ask.list.index] ?? 0) : 0
      const there = output.subarray(at + STATX.size, at + STATX.size + Math.max(0, size))
      found.push({
        ...listedAs,
        stat,
        fd,
        target: ask.target
          ? Buffer.concat([output.subarray(linkAt, linkAt + length), Buffer.from([0])])
          : undefined,
        attributes:
          of === undefined || size === 0
            ? []
            : await this.#attributes(of, size === ERANGE ? undefined : there),
      })
    }
    return found
  }

  #owned(stat: TreeStat): TreeStat {
    const { owner } = this.#options
    return owner ? { ...stat, uid: owner(stat.uid), gid: owner(stat.gid) } : stat
  }

  async #attributes(fd: number, known: Buffer | undefined): Promise<Attribute[]> {
    const names = attributeNames(
      known ?? (await this.#read('flistxattr', fd, undefined, MOST)) ?? Buffer.alloc(0),
    )
    const attributes: Attribute[] = []
    for (const name of names) {
      const value = await this.#read('fgetxattr', fd, name, VALUE)
      if (value) attributes.push({ name, value })
    }
    return attributes
  }

  async #read(
    call: 'flistxattr' | 'fgetxattr',
    fd: number,
    name: string | undefined,
    size: number,
  ): Promise<Buffer | undefined> {
    const batch = new Batch()
    const space = batch.space(size)
    batch.output(space)
    batch.call(call, [fd, ...(name === undefined ? [] : [text(name)]), space, size], { mayFail: true })
    const { results, output } = await this.#channel.run(batch)
    const length = results[0] ?? ENODATA
    if (length === ERANGE && size < MOST) return this.#read(call, fd, name, MOST)
    return length < 0 ? undefined : Buffer.from(output.subarray(0, length))
  }

  /** Makes the same entries in the copy; folders are still empty. */
  async #make(entries: readonly Entry[], to: number, path: Buffer): Promise<void> {
    const batch = new Batch()
    const files: { entry: Entry & { fd: number }; made: Ref }[] = []
    const own = new Set<Entry>()
    for (const entry of entries) {
      const { name, stat, target, fd } = entry
      const first = this.#linked.get(stat.inode)
      if (first) batch.call('linkat', [this.#top, first, to, name, 0])
      else if (stat.type === k.S_IFDIR) batch.call('mkdirat', [to, name, 0o700])
      else if (target) batch.call('symlinkat', [target, to, name])
      else if (fd !== undefined)
        files.push({ entry: { ...entry, fd }, made: batch.call('openat', [to, name, CREATE, NO_MODE]) })
      else if (stat.whiteout || stat.type === k.S_IFIFO || stat.type === k.S_IFSOCK)
        batch.call('mknodat', [to, name, stat.type | NO_MODE, 0])
      else continue // a device, which a box cannot make
      this.#files++
      if (first) continue
      this.#used += stat.used
      if (stat.type !== k.S_IFDIR && fd === undefined) own.add(entry)
      // All whiteouts of a box are one inode, and linking them would exceed the links that some file systems allow.
      if (stat.type !== k.S_IFDIR && stat.links > 1 && !stat.whiteout)
        this.#linked.set(stat.inode, Buffer.concat([path, name]))
    }
    const { results } = await this.#channel.run(batch)
    const open = files.map(({ entry, made }) => ({ entry, to: results[made.index] ?? -1 }))
    await this.#bytes.copy(
      open.map(({ entry, to: number }) => ({ from: entry.fd, to: number, stat: entry.stat })),
    )
    let dress = new Batch()
    const room = async (): Promise<void> => {
      if (dress.ops.length < ENOUGH_OPS) return
      await this.#channel.run(dress)
      dress = new Batch()
    }
    for (const { entry, to: number } of open) {
      this.#dress(dress, entry, number)
      dress.call('close', [number])
      await room()
    }
    for (const { fd } of entries) if (fd !== undefined) dress.call('close', [fd])
    for (const { name, stat } of own) {
      dress.call('fchownat', [to, name, stat.uid, stat.gid, k.AT_SYMLINK_NOFOLLOW])
      if (stat.type !== k.S_IFLNK) dress.call('fchmodat', [to, name, stat.mode])
      dress.call('utimensat', [to, name, stat.times, k.AT_SYMLINK_NOFOLLOW])
    }
    if (dress.ops.length) await this.#channel.run(dress)
  }

  /** Owner first: its change clears setuid marks and capabilities. Times last. */
  #dress(batch: Batch, { stat, attributes }: Entry, to: number): void {
    batch.call('fchown', [to, stat.uid, stat.gid])
    batch.call('fchmod', [to, stat.mode])
    for (const { name, value } of attributes)
      batch.call('fsetxattr', [to, text(name), value, value.length, 0], { what: name })
    batch.call('utimensat', [to, 0, stat.times, 0])
  }
}
