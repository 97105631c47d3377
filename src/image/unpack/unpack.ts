/**
 * Unpacks a layer's archive into a folder as root of the box's id map. An init without a box runs the batches of
 * syscalls, so that owners are right and no name in the archive can lead outside of the folder.
 */
import * as k from '../../../ffi/abi/constants.ts'
import { abi } from '../../../ffi/abi/index.ts'
import type { Ref } from '../../../ffi/batch.ts'
import { bytesOf, cstring, LayerBatches } from './layer-batches.ts'
import { type Owned, ownerOf, xattrFate } from './layer-owner.ts'
import { layerPath, markOf, split } from './layer-path.ts'
import { attributesBelow, copyFromBelow } from './lower-copy.ts'
import type { TarReader } from './tar.ts'
import { badLayer, shown, type TarEntry } from './tar-entry.ts'
import { times } from './times.ts'
import { UNPACK_LIMITS, type Unpacked, type UnpackLimits, type UnpackOptions } from './unpack-options.ts'

interface Folder {
  readonly mode: number
  mtime: bigint
  /** The archive has no entry for the folder: it gets the attributes from the layers below. */
  readonly implicit: boolean
}

const BIG_FILE = 512 // descriptor of a file longer than a batch: above all that a batch opens, below the usual limit
const MAX_XATTRS = 64 // in one entry, far more than file systems accept
const WARNINGS = 5 // of each kind

export async function unpackLayer(tar: TarReader, options: UnpackOptions): Promise<Unpacked> {
  const layer = new Layer(options)
  for (let entry = await tar.next(); entry; entry = await tar.next()) await layer.add(entry, tar)
  return await layer.finish()
}

class Layer {
  readonly #options: UnpackOptions
  readonly #limits: UnpackLimits
  readonly #batches: LayerBatches
  /** All folders that this layer made, by path. */
  readonly #folders = new Map<string, Folder>([['', { mode: 0o755, mtime: 0n, implicit: true }]])
  readonly #whiteouts = new Set<string>()
  readonly #warned = new Map<string, number>()
  /** Hard links to files that only a layer below has. */
  readonly #linksBelow: { readonly target: string; readonly path: string; readonly what: string }[] = []
  #entries = 0
  #bytes = 0

  constructor(options: UnpackOptions) {
    this.#options = options
    this.#limits = options.limits ?? UNPACK_LIMITS
    this.#batches = new LayerBatches(options.channel)
  }

  #warn(kind: string, sentence: string): void {
    const count = (this.#warned.get(kind) ?? 0) + 1
    this.#warned.set(kind, count)
    if (count <= WARNINGS) this.#options.warn(sentence)
  }

  async add(entry: TarEntry, tar: TarReader): Promise<void> {
    if (++this.#entries > this.#limits.entries)
      throw badLayer(`the layer has more than ${this.#limits.entries} entries (at ${shown(entry.name)})`)
    const path = layerPath(entry.name)
    const what = shown(entry.name)
    if (this.#batches.isFull) await this.#batches.flush()
    if (path === '') {
      if (entry.type !== 'folder') throw badLayer(`${what} in the layer replaces the root of the image`)
      return this.#folder(entry, path, what)
    }
    const { parent, base } = split(path)
    const mark = markOf(base)
    if (mark.kind === 'ignored') return
    this.#ensureFolder(parent, what)
    if (mark.kind === 'opaque') return this.#opaque(parent, what)
    if (mark.kind === 'whiteout') return this.#whiteout(parent, mark.hides, what)
    if (entry.type === 'folder') return this.#folder(entry, path, what)
    if (this.#folders.has(path)) throw badLayer(`${what} is a folder and something else in one layer`)
    const dir = this.#batches.folder(parent, what)
    if (entry.type === 'hardlink') return this.#hardLink(entry, dir, path, what)
    if (entry.type === 'character' || entry.type === 'block') return this.#device(path, what)
    // An earlier entry may have the same name: the later one counts.
    this.#batches.call('unlinkat', [dir, cstring(base), 0], { mayFail: true })
    if (entry.type === 'symlink') return this.#symlink(entry, dir, base, path, what)
    if (entry.type === 'fifo') return this.#fifo(entry, dir, base, path, what)
    await this.#file(entry, tar, dir, base, path, what)
  }

  #device(path: string, what: string): void {
    if (path.startsWith('dev/')) return // invisible, as boxes have a /dev of their own
    this.#warn('device', `${what} is left out: boxes get no devices from an image`)
  }

  #owned(entry: TarEntry, path: string): Owned {
    const owned = ownerOf(this.#options.ids, entry)
    if (owned.changed) {
      this.#options.owner(path, entry.uid, entry.gid)
      if (this.#options.ids.kind !== 'single')
        this.#warn(
          'owner',
          `${shown(path)} belongs to ${entry.uid}:${entry.gid}, which boxes do not have: root becomes its owner`,
        )
    }
    return owned
  }

  /** Makes the parent folders for which the archive has no entries. */
  #ensureFolder(path: string, what: string): void {
    if (this.#folders.has(path)) return
    const { parent, base } = split(path)
    this.#ensureFolder(parent, what)
    const dir = this.#batches.folder(parent, what)
    this.#batches.call('mkdirat', [dir, cstring(base), 0o755], { what })
    this.#made(path, { mode: 0o755, mtime: 0n, implicit: true }, what)
  }

  #made(path: string, folder: Folder, what: string): void {
    this.#folders.set(path, folder)
    if (this.#whiteouts.delete(path)) this.#opaque(path, what) // the lower folder was deleted, and this one is new
  }

  #folder(entry: TarEntry, path: string, what: string): void {
    const { parent, base } = split(path)
    const { uid, gid, mode, changed } = this.#owned(entry, path)
    if (!this.#folders.has(path)) {
      const dir = this.#batches.folder(parent, what)
      this.#batches.call('unlinkat', [dir, cstring(base), 0], { mayFail: true })
      this.#batches.call('mkdirat', [dir, cstring(base), 0o700], { what })
      this.#made(path, { mode, mtime: entry.mtime, implicit: false }, what)
    } else this.#folders.set(path, { mode, mtime: entry.mtime, implicit: false })
    const fd = this.#batches.folder(path, what, 'read')
    if (!changed || this.#options.ids.kind !== 'single')
      this.#batches.call('fchown', [fd, uid, gid], { what })
    this.#batches.call('fchmod', [fd, mode], { what })
    this.#xattrs(entry, fd, what)
  }

  /** In the form of overlayfs for mounts in user namespaces (overlayfs.rst, "userxattr"). */
  #opaque(path: string, what: string): void {
    const fd = this.#batches.folder(path, what, 'read')
    this.#batches.call('fsetxattr', [fd, cstring('user.overlay.opaque'), bytesOf('y'), 1, 0], { what })
  }

  #whiteout(parent: string, hides: string, what: string): void {
    const path = parent ? `${parent}/${hides}` : hides
    if (this.#folders.has(path)) return this.#opaque(path, what)
    this.#whiteouts.add(path)
    const dir = this.#batches.folder(parent, what)
    // Files of this layer itself stay: whiteouts concern only the layers below.
    this.#batches.checked(
      'mknodat',
      [dir, cstring(hides), k.S_IFCHR, 0],
      { mayFail: true, what },
      (result) => {
        if (result < 0 && result !== -17 /* EEXIST */) throw this.#failed('mknodat', result, what)
      },
    )
  }

  #failed(name: string, result: number, what: string): Error {
    return badLayer(`${what} of the image cannot be unpacked here (${name}: errno ${-result})`)
  }

  #symlink(entry: TarEntry, dir: Ref, base: string, path: string, what: string): void {
    const { uid, gid } = this.#owned(entry, path)
    this.#batches.call('symlinkat', [cstring(entry.linkName), dir, cstring(base)], { what })
    if (uid || gid || this.#inherits(path))
      this.#batches.call('fchownat', [dir, cstring(base), uid, gid, k.AT_SYMLINK_NOFOLLOW], { what })
    this.#batches.call('utimensat', [dir, cstring(base), times(entry.mtime), k.AT_SYMLINK_NOFOLLOW], { what })
  }

  #fifo(entry: TarEntry, dir: Ref, base: string, path: string, what: string): void {
    const { uid, gid, mode } = this.#owned(entry, path)
    this.#batches.call('mknodat', [dir, cstring(base), k.S_IFIFO | 0o600, 0], { what })
    this.#batches.call('fchownat', [dir, cstring(base), uid, gid, k.AT_SYMLINK_NOFOLLOW], { what })
    this.#batches.call('fchmodat', [dir, cstring(base), mode], { what })
    this.#batches.call('utimensat', [dir, cstring(base), times(entry.mtime), k.AT_SYMLINK_NOFOLLOW], { what })
  }

  #hardLink(entry: TarEntry, dir: Ref, path: string, what: string): void {
    const target = layerPath(entry.linkName)
    if (target === path) return
    const { parent, base } = split(target)
    const failed = (result: number): void => {
      if (result >= 0) return
      if (result !== -2 /* ENOENT */)
        throw this.#failed('linkat', result, `${what}, a hard link to ${shown(target)},`)
      this.#linksBelow.push({ target, path, what })
    }
    const name = cstring(split(path).base)
    if (!this.#folders.has(parent)) return failed(-2)
    const from = this.#batches.folder(parent, what)
    this.#batches.call('unlinkat', [dir, name, 0], { mayFail: true })
    this.#batches.checked('linkat', [from, cstring(base), dir, name, 0], { mayFail: true, what }, failed)
  }

  /** Whether new files there get the group of their folder. */
  #inherits(path: string): boolean {
    return ((this.#folders.get(split(path).parent)?.mode ?? 0) & 0o2000) !== 0
  }

  async #file(
    entry: TarEntry,
    tar: TarReader,
    dir: Ref,
    base: string,
    path: string,
    what: string,
  ): Promise<void> {
    const { uid, gid, mode } = this.#owned(entry, path)
    const batches = this.#batches
    const plain = uid === 0 && gid === 0 && (mode & 0o7000) === 0 && !this.#inherits(path)
    const flags = k.O_CREAT | k.O_EXCL | k.O_WRONLY | abi.O_NOFOLLOW | k.O_CLOEXEC
    let fd: Ref | number = batches.call('openat', [dir, cstring(base), flags, plain ? mode : 0o600], { what })
    let end = 0
    for (let part = await tar.data(); part; part = await tar.data()) {
      batches.write(fd, part.bytes, part.offset, what)
      end = part.offset + part.bytes.length
      this.#bytes += part.bytes.length
      if (this.#bytes > this.#limits.bytes)
        throw badLayer(`the layer unpacks to more than ${this.#limits.bytes} bytes (at ${what})`)
      if (!batches.isFull) continue
      if (typeof fd !== 'number') {
        batches.call('dup3', [fd, BIG_FILE, k.O_CLOEXEC])
        batches.call('close', [fd])
        fd = BIG_FILE
      }
      await batches.flush()
    }
    if (end < entry.size) batches.call('ftruncate', [fd, entry.size], { what }) // ends with a hole
    if (!plain) {
      batches.call('fchown', [fd, uid, gid], { what })
      batches.call('fchmod', [fd, mode], { what }) // after fchown, which clears setuid and setgid marks
    }
    this.#xattrs(entry, fd, what)
    batches.call('utimensat', [fd, 0, times(entry.mtime), 0], { what })
    batches.call('close', [fd])
  }

  #xattrs(entry: TarEntry, fd: Ref | number, what: string): void {
    if (entry.xattrs.size > MAX_XATTRS)
      throw badLayer(`${what} in the layer has more than ${MAX_XATTRS} extended attributes`)
    for (const [name, value] of entry.xattrs) {
      const fate = xattrFate(name)
      if (fate === 'warn') this.#warn(name, `the attribute ${shown(name)} of ${what} is left out`)
      if (fate !== 'keep') continue
      const bytes = bytesOf(value)
      this.#batches.checked(
        'fsetxattr',
        [fd, cstring(name), bytes, bytes.length, 0],
        { mayFail: true },
        (result) => {
          if (result < 0)
            this.#warn(
              'xattr',
              `the attribute ${shown(name)} of ${what} cannot be kept here (errno ${-result})`,
            )
        },
      )
    }
  }

  /** Last, everything that needs the complete layer: links into layers below, and times of folders. */
  async finish(): Promise<Unpacked> {
    await this.#batches.finish()
    const { channel, below } = this.#options
    for (const { target, path, what } of this.#linksBelow) {
      this.#ensureFolder(split(target).parent, what)
      await this.#batches.finish()
      await copyFromBelow({ channel, below, target, path, what })
    }
    for (const [path, folder] of this.#folders) {
      if (folder.implicit) await this.#likeBelow(path, folder)
      if (this.#batches.isFull) await this.#batches.flush()
      const fd = this.#batches.folder(path, shown(path), 'read')
      // A folder that no layer describes gets the year 1970, so that unpacking again gives the same result.
      this.#batches.call('utimensat', [fd, 0, times(folder.mtime), 0], { what: shown(path) })
    }
    await this.#batches.finish()
    return { entries: this.#entries, bytes: this.#bytes }
  }

  async #likeBelow(path: string, folder: Folder): Promise<void> {
    const found = await attributesBelow(this.#options.channel, this.#options.below, path)
    if (!found) return
    const fd = this.#batches.folder(path, shown(path), 'read')
    this.#batches.call('fchown', [fd, found.uid, found.gid])
    this.#batches.call('fchmod', [fd, found.mode])
    folder.mtime = found.mtime
  }
}
