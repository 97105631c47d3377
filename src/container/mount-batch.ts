/** The vocabulary of a box's set-up: a batch builder that knows mounts, and resolves every target in the new root. */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { Batch, Data, type OpOptions, type Ref } from '../../ffi/batch.ts'
import type { Source } from '../sandbox/plan.ts'

/** Of everything that is bound into a box. */
export const BOUND = k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NODEV
/** Of what holds no programs either. */
export const QUIET = BOUND | k.MOUNT_ATTR_NOEXEC
export const SETATTR_SIZE = 32 // struct mount_attr
const STATX_SIZE = 256
const STX_MNT_ID = 144 // offset in struct statx (Linux 5.8)
const EMPTY = 'empty' // a folder of the staging folder
const MAX_OPTION = 255 // bytes of a string that fsconfig(2) takes

/** Descriptors of detached mounts that the daemon made because only host root can; by the plan's own objects. */
export type PreparedMounts = ReadonlyMap<Source, number>

export class MountBatch {
  readonly batch = new Batch()
  readonly #prepared: PreparedMounts
  /** By target the mount that must be seen there in the end. */
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

  /** struct open_how: always inside `dir`, symlinks followed inside it, magic links never (openat2(2)). */
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

  /** A path below the new root. The last part must not be a link: nothing is mounted through one. */
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

  /** A detached mount of a host file or folder that is proven to be the one that was planned. */
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

  /** A new file system, detached. Values are strings except flags, which are null. */
  create(
    type: string,
    options: Readonly<Record<string, string | null>>,
    attributes: number,
    what: string,
    scoped = true,
  ): Ref {
    const context = this.batch.call('fsopen', [type, k.FSOPEN_CLOEXEC], { scoped: true, what })
    for (const [key, value] of Object.entries(options)) {
      if (value === null) this.batch.call('fsconfig', [context, k.FSCONFIG_SET_FLAG, key, 0, 0], { what })
      else this.batch.call('fsconfig', [context, k.FSCONFIG_SET_STRING, key, value, 0], { what })
    }
    this.batch.call('fsconfig', [context, k.FSCONFIG_CMD_CREATE, 0, 0, 0], { what })
    return this.batch.call('fsmount', [context, k.FSMOUNT_CLOEXEC, attributes], { scoped, what })
  }

  /** Attach a mount under a name of the staging folder, where an overlay can refer to it without quoting. */
  stage(mount: Ref): string {
    const name = `s${this.#staged++}`
    this.batch.call('mkdirat', [k.AT_FDCWD, name, 0o700])
    const target = this.open(k.AT_FDCWD, name, k.O_PATH, k.RESOLVE_NO_SYMLINKS, 'staging folder')
    this.attach(mount, target, 'staging folder')
    return name
  }

  /**
   * A folder as it is, through an overlay without an upper, which is what makes it read-only, too. An overlay has
   * sockets and fifos of its own: those of the host are there by name, and nobody listens at them. It needs two layers.
   */
  sealed(lower: string, what: string): Ref {
    if (!this.#hasEmpty) this.batch.call('mkdirat', [k.AT_FDCWD, EMPTY, 0o755])
    this.#hasEmpty = true
    return this.create('overlay', { lowerdir: `${lower}:${EMPTY}`, userxattr: null }, BOUND, what)
  }

  /** Attach a mount at a path of the box, where `provePlaces` then looks for it. */
  promise(mount: Ref, path: string, type: 'folder' | 'file' | 'existing', what: string): void {
    const target = type === 'existing' ? this.inRoot(path, k.O_PATH, what) : this.target(path, type)
    this.attach(mount, target, what)
    this.#promised.set(path, mount)
  }

  /**
   * Whether each mount is at its place now that all of them are there. One that a link of the image has led to /proc,
   * /sys or /dev is not: those came later and lie above it.
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
   * With more layers than one option of fsconfig(2) can name: the old call takes a page of them, and every kernel has
   * it. A copy of the mount is what goes on; the first one goes with the staging folder.
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

  /** Make the folders that lead to `path`, and the folder itself unless it is to be a file. */
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

  /** The mount target at `path`, made if it is missing. */
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
