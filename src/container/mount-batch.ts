/** A batch builder for a box's set-up, with operations for mounts. It resolves every target in the new root. */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { Batch, Data, type OpOptions, type Ref } from '../../ffi/batch.ts'
import type { BoxLink, Source } from '../sandbox/plan.ts'
import { foldersTo } from '../sandbox/soft-links.ts'

/** Attributes of everything that is bound into a box. */
export const BOUND = k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NODEV
/** Attributes of mounts that also hold no programs. */
export const QUIET = BOUND | k.MOUNT_ATTR_NOEXEC
export const SETATTR_SIZE = 32 // struct mount_attr
const STATX_SIZE = 256
const STX_MNT_ID = 144 // offset in struct statx (Linux 5.8)
const EMPTY = 'empty' // an empty folder in the staging folder
const MAX_OPTION = 255 // bytes; the longest string that fsconfig(2) accepts

/** Descriptors of detached mounts that the daemon makes, as only the host's root can; by the plan's own objects. */
export type PreparedMounts = ReadonlyMap<Source, number>

export class MountBatch {
  readonly batch = new Batch()
  readonly #prepared: PreparedMounts
  /** By target: the mount that must be visible there in the end. */
  readonly #promised = new Map<string, Ref>()
  #root: Ref | undefined
  #staged = 0
  #hasEmpty = false

  constructor(prepared: PreparedMounts) {
    this.#prepared = prepared
  }

  get root(): Ref {
    if (!this.#root) throw new Error('the new root is not there yet')
    return this.#root
  }

  /** struct open_how: resolution stays inside `dir`, follows symlinks there but never magic links (openat2(2)). */
  #how(flags: number, mode: number, resolve: number): Uint8Array {
    return new Uint8Array(new BigUint64Array([BigInt(flags), BigInt(mode), BigInt(resolve)]).buffer)
  }

  open(
    dir: Ref | number,
    path: string,
    flags: number,
    resolve: number,
    what: string,
    mayFail: OpOptions['mayFail'] = false,
    scoped = true,
  ): Ref {
    const how = this.#how(flags | k.O_CLOEXEC, flags & k.O_CREAT ? 0o644 : 0, resolve)
    return this.batch.call('openat2', [dir, path, how, 24], { scoped, what, mayFail })
  }

  /** Opens a path below the new root. The last part must not be a link, so that nothing is mounted through one. */
  inRoot(path: string, flags: number, what: string, mayFail = false, scoped = true): Ref {
    const resolve = k.RESOLVE_IN_ROOT | k.RESOLVE_NO_MAGICLINKS
    return this.open(
      this.root,
      path.replace(/^\/+/, '') || '.',
      flags | abi.O_NOFOLLOW,
      resolve,
      what,
      mayFail,
      scoped,
    )
  }

  /** A detached mount of a host file or folder, checked to be the one that was planned. */
  acquire(source: Source, recursive: boolean): Ref {
    const prepared = this.#prepared.get(source)
    if (prepared !== undefined) return this.batch.fd(prepared)
    const what = `open ${source.path}`
    const fd = this.open(k.AT_FDCWD, source.path, k.O_PATH, k.RESOLVE_NO_SYMLINKS, what)
    const stat = this.batch.space(STATX_SIZE)
    this.batch.call('statx', [fd, '', k.AT_EMPTY_PATH, k.STATX_INO, stat], { what })
    this.#same(stat, source)
    const flags = k.OPEN_TREE_CLONE | k.OPEN_TREE_CLOEXEC | k.AT_EMPTY_PATH | (recursive ? k.AT_RECURSIVE : 0)
    return this.batch.call('open_tree', [fd, '', flags], {
      scoped: true,
      what: `clone the mount of ${source.path}`,
    })
  }

  #same(stat: Data, source: Source): void {
    const inode = Buffer.alloc(8)
    inode.writeBigUInt64LE(BigInt(source.inode))
    const device = Buffer.alloc(8)
    device.writeUInt32LE(source.device.major, 0)
    device.writeUInt32LE(source.device.minor, 4)
    const what = `${source.path} was replaced while the box was being made`
    this.batch.equal(this.batch.data(inode), stat.at(32), { what }) // stx_ino
    this.batch.equal(this.batch.data(device), stat.at(136), { what }) // stx_dev_major, stx_dev_minor
  }

  attributes(mount: Ref, set: number, recursive: boolean, what: string): void {
    const attr = new Uint8Array(new BigUint64Array([BigInt(set), 0n, 0n, 0n]).buffer)
    const flags = k.AT_EMPTY_PATH | (recursive ? k.AT_RECURSIVE : 0)
    this.batch.call('mount_setattr', [mount, '', flags, attr, SETATTR_SIZE], { what })
  }

  attach(mount: Ref, target: Ref, what: string, mayFail = false): void {
    const flags = k.MOVE_MOUNT_F_EMPTY_PATH | k.MOVE_MOUNT_T_EMPTY_PATH
    this.batch.call('move_mount', [mount, '', target, '', flags], { what, mayFail })
  }

  /** Makes a detached file system. Option values are strings; null marks a flag. */
  create(
    type: string,
    options: Readonly<Record<string, string | null>>,
    attributes: number,
    what: string,
    { scoped = true, mayFail = false }: { readonly scoped?: boolean; readonly mayFail?: boolean } = {},
  ): Ref {
    const op = { what, mayFail }
    const context = this.batch.call('fsopen', [type, k.FSOPEN_CLOEXEC], { ...op, scoped: true })
    for (const [key, value] of Object.entries(options)) {
      if (value === null) this.batch.call('fsconfig', [context, k.FSCONFIG_SET_FLAG, key, 0, 0], op)
      else this.batch.call('fsconfig', [context, k.FSCONFIG_SET_STRING, key, value, 0], op)
    }
    this.batch.call('fsconfig', [context, k.FSCONFIG_CMD_CREATE, 0, 0, 0], op)
    return this.batch.call('fsmount', [context, k.FSMOUNT_CLOEXEC, attributes], { ...op, scoped })
  }

  /** Attaches a mount under a name in the staging folder, so that an overlay can refer to it without quoting. */
  stage(mount: Ref, mayFail = false): string {
    const name = `s${this.#staged++}`
    this.batch.call('mkdirat', [k.AT_FDCWD, name, 0o700])
    const target = this.open(k.AT_FDCWD, name, k.O_PATH, k.RESOLVE_NO_SYMLINKS, 'staging folder')
    this.attach(mount, target, 'staging folder', mayFail)
    return name
  }

  /**
   * A folder as it is, through an overlay without an upper layer, which also makes it read-only. An overlay has sockets
   * and fifos of its own: those of the host appear by name, but nobody listens on them. Such an overlay needs two
   * layers.
   */
  sealed(lower: string, what: string): Ref {
    if (!this.#hasEmpty) this.batch.call('mkdirat', [k.AT_FDCWD, EMPTY, 0o755])
    this.#hasEmpty = true
    return this.create('overlay', { lowerdir: `${lower}:${EMPTY}`, userxattr: null }, BOUND, what)
  }

  /** Attaches a mount at a path of the box; `provePlaces` later checks that it is visible there. */
  promise(mount: Ref, path: string, type: 'folder' | 'file' | 'existing', what: string): void {
    const target = type === 'existing' ? this.inRoot(path, k.O_PATH, what) : this.target(path, type)
    this.attach(mount, target, what)
    this.#promised.set(path, mount)
  }

  /**
   * Checks that each mount is visible at its place, after all of them are attached. A mount that a link of the image
   * has led into /proc, /sys or /dev is not, because those are mounted later and cover it.
   */
  provePlaces(): void {
    for (const [path, mount] of this.#promised) {
      const what = `mount target ${path} of the box leads to another place`
      const [wanted, seen] = [this.batch.space(STATX_SIZE), this.batch.space(STATX_SIZE)]
      const there = this.inRoot(path, k.O_PATH, what)
      for (const [fd, stat] of [
        [mount, wanted],
        [there, seen],
      ] as const)
        this.batch.call('statx', [fd, '', k.AT_EMPTY_PATH, k.STATX_MNT_ID, stat], { what })
      const idOf = (stat: Data): Data => new Data(stat.offset + STX_MNT_ID, 8)
      this.batch.equal(idOf(wanted), idOf(seen), { what })
    }
  }

  overlay(lower: readonly string[], store: string, upper: string, what: string): Ref {
    const options = {
      lowerdir: lower.join(':'),
      upperdir: `${store}/upper/${upper}`,
      workdir: `${store}/work/${upper}`,
      userxattr: null,
    }
    if (options.lowerdir.length <= MAX_OPTION) return this.create('overlay', options, BOUND, what)
    return this.#longOverlay(options, what)
  }

  /**
   * For more layers than one option of fsconfig(2) can name. mount(2) accepts a page of options, and every kernel has
   * it. The caller gets a copy of the mount; the original disappears with the staging folder.
   */
  #longOverlay(options: Readonly<Record<string, string | null>>, what: string): Ref {
    const data = Object.entries(options).map(([key, value]) => (value === null ? key : `${key}=${value}`))
    const name = `s${this.#staged++}`
    this.batch.call('mkdirat', [k.AT_FDCWD, name, 0o700])
    this.batch.call('mount', ['overlay', name, 'overlay', k.MS_NOSUID | k.MS_NODEV, data.join(',')], { what })
    const clone = k.OPEN_TREE_CLONE | k.OPEN_TREE_CLOEXEC
    return this.batch.call('open_tree', [k.AT_FDCWD, name, clone], { scoped: true, what })
  }

  enterRoot(mount: Ref): void {
    this.batch.call('mkdirat', [k.AT_FDCWD, 'root', 0o755])
    const target = this.open(k.AT_FDCWD, 'root', k.O_PATH, k.RESOLVE_NO_SYMLINKS, 'new root')
    this.attach(mount, target, 'new root')
    this.#root = this.open(k.AT_FDCWD, 'root', k.O_PATH | abi.O_DIRECTORY, k.RESOLVE_NO_SYMLINKS, 'new root')
  }

  /** Makes the folders on the way to `path`, and the last one, too, unless it is to be a file. */
  folders(path: string, mode: number): void {
    const parts = path.split('/').filter(Boolean)
    let dir: Ref = this.root
    parts.forEach((part, index) => {
      const last = index === parts.length - 1
      this.batch.call('mkdirat', [dir, part, last ? mode : 0o755], { mayFail: true })
      if (last) return
      const below = `/${parts.slice(0, index + 1).join('/')}`
      const resolve = k.RESOLVE_IN_ROOT | k.RESOLVE_NO_MAGICLINKS
      dir = this.open(this.root, below.slice(1), k.O_PATH | abi.O_DIRECTORY, resolve, `${below} of the image`)
    })
  }

  /** Makes links and the folders on their ways, unless the box has something else there (soft-links.ts). */
  softLinks(links: readonly BoxLink[]): void {
    const made = new Set<string>()
    const inFolder = (path: string, what: string, make: (dir: Ref, name: string) => void): void => {
      const at = path.lastIndexOf('/')
      // Not scoped: there may be hundreds, and a process has a thousand descriptors.
      const dir = this.inRoot(path.slice(0, at), k.O_PATH | abi.O_DIRECTORY, what, true, false)
      make(dir, path.slice(at + 1))
      this.batch.call('close', [dir], { mayFail: true })
    }
    for (const { at, to } of links) {
      const options = { what: `link ${at}`, mayFail: true }
      for (const folder of foldersTo(at)) {
        if (made.has(folder)) continue
        made.add(folder)
        inFolder(folder, options.what, (dir, name) => this.batch.call('mkdirat', [dir, name, 0o755], options))
      }
      inFolder(at, options.what, (dir, name) => this.batch.call('symlinkat', [to, dir, name], options))
    }
  }

  /** Opens the mount target at `path`; creates it if it is missing. */
  target(path: string, type: 'folder' | 'file'): Ref {
    const what = `mount target ${path}`
    if (type === 'folder') {
      this.folders(path, 0o755)
      return this.inRoot(path, k.O_PATH | abi.O_DIRECTORY, what)
    }
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (parent) this.folders(parent, 0o755)
    this.inRoot(path, k.O_CREAT | k.O_WRONLY | k.O_EXCL, what, true)
    return this.inRoot(path, k.O_PATH, what)
  }
}
