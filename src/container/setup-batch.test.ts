import { describe, expect, test } from 'bun:test'
import * as k from '../../ffi/abi/constants.ts'
import { type Batch, Data, Ref } from '../../ffi/batch.ts'
import { DEFAULTS } from '../config/schema.ts'
import type { ComposeInput } from '../sandbox/compose.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { facts, planOf, source } from '../sandbox/testing.ts'
import type { PreparedMounts } from './mount-batch.ts'
import { planSources, setupBatch } from './setup-batch.ts'

const HEAD = 32 // bytes before the operations of a batch, each of which has OP
const OP = 56
const MAY_FAIL = 0x40 // in the flags of an operation

/** Decodes a batch for init. */
class Read {
  readonly ops: Batch['ops']
  readonly #bytes: Buffer
  constructor(batch: Batch) {
    this.ops = batch.ops
    this.#bytes = batch.encode(0n, 1)
  }
  #at(data: unknown): number {
    if (!(data instanceof Data)) throw new Error('no address in the data')
    return HEAD + this.ops.length * OP + data.offset
  }
  text(data: unknown): string {
    const at = this.#at(data)
    return this.#bytes.toString('utf8', at, this.#bytes.indexOf(0, at))
  }
  word(data: unknown, offset: number): number {
    return Number(this.#bytes.readBigUInt64LE(this.#at(data) + offset))
  }
  find(name: string): { op: Batch['ops'][number]; index: number }[] {
    return this.ops.flatMap((op, index) => (op.name === name ? [{ op, index }] : []))
  }
  index(name: string): number {
    return this.ops.findIndex((op) => op.name === name)
  }
}

const STORE = source('/data/boxes/it', 'folder', 'box')
const NONE = { ...DEFAULTS, network: { ...DEFAULTS.network, mode: 'none' } } as const
const HOME = { '.gitconfig': '[user]\n' }

function batchOf(
  plan: Plan,
  prepared: PreparedMounts = new Map(),
  listener?: number,
  ownCgroup = false,
): Read {
  return new Read(
    setupBatch({
      plan,
      store: STORE,
      prepared,
      homeFiles: HOME,
      ownCgroup,
      ...(listener === undefined ? {} : { listener }),
    }),
  )
}
const madeOf = (changes: Partial<ComposeInput> = {}): Read => batchOf(planOf(changes), new Map(), 9)

describe('init', () => {
  test('is out of reach before anything else happens, and again after its ids have changed', () => {
    const made = madeOf()
    const undumpable = made.find('prctl').filter(({ op }) => op.args[0] === k.PR_SET_DUMPABLE)
    expect(undumpable.map(({ op }) => op.args[1])).toEqual([0, 0])
    expect(undumpable[0]?.index).toBe(0)
    expect(undumpable[1]?.index).toBeGreaterThan(made.index('setresuid'))
    expect(undumpable[1]?.index).toBeLessThan(made.index('pivot_root'))
  })

  test('listens last, so that what is half made ends with its daemon', () => {
    const made = madeOf()
    expect(made.find('listen').map(({ index }) => index)).toEqual([made.ops.length - 1])
  })

  test('of a build step never listens', () => {
    expect(batchOf(planOf()).index('listen')).toBe(-1)
  })

  test('gives up its groups where it has the right to', () => {
    expect(madeOf().index('setgroups')).toBeGreaterThan(0)
    // With a single id the kernel has been told to refuse setgroups(2).
    expect(madeOf({ ids: { ...facts().ids, subuid: '' } }).index('setgroups')).toBe(-1)
  })
})

describe('sources', () => {
  test('are all opened without links and compared, while the host’s tree is what it was at planning', () => {
    const plan = planOf()
    const made = batchOf(plan)
    const private_ = made.index('mount')
    const opened = made
      .find('openat2')
      .filter(({ op, index }) => index < private_ && op.args[0] === k.AT_FDCWD)
    expect(opened.map(({ op }) => made.text(op.args[1]))).toEqual([
      STORE.path,
      ...planSources(plan).map(({ source }) => source.path),
    ])
    for (const { op } of opened)
      expect(made.word(op.args[2], 16) & k.RESOLVE_NO_SYMLINKS).toBe(k.RESOLVE_NO_SYMLINKS)
    const compared = made.find('compare').filter(({ index }) => index < private_)
    expect(compared).toHaveLength(2 * opened.length) // the inode and device of each
  })

  test('of the same path have a mount each: a detached one can be attached only once', () => {
    const mounts = ['/a', '/b'].map((target) => ({ source: source('/data/x'), target, readonly: false }))
    const plan = planOf({ mounts })
    expect(planSources(plan).filter(({ source }) => source.path === '/data/x')).toHaveLength(2)
    const all: Source[] = [STORE, ...planSources(plan).map(({ source }) => source)]
    const made = batchOf(plan, new Map(all.map((one, index) => [one, 100 + index])))
    const attached = made
      .find('move_mount')
      .filter(({ op }) => op.what === 'mount /a' || op.what === 'mount /b')
      .map(({ op }) => op.args[0])
    expect(attached).toEqual([expect.any(Ref), expect.any(Ref)])
    expect(attached[0]).not.toEqual(attached[1])
  })

  test('that root’s daemon has mounted are not opened by init', () => {
    const plan = planOf()
    const all: Source[] = [STORE, ...planSources(plan).map(({ source }) => source)]
    const made = batchOf(plan, new Map(all.map((one, index) => [one, 100 + index])))
    expect(made.find('compare').filter(({ index }) => index < made.index('mount'))).toEqual([])
  })

  test('that nobody acquired are a mistake and not left out', () => {
    const plan = planOf()
    const steps = plan.steps.map((step) => (step.do === 'dev' ? { ...step, devices: [] } : step))
    expect(() => batchOf({ ...plan, steps })).toThrow('/dev/null')
  })
})

describe('targets', () => {
  const made = batchOf(
    planOf({ mounts: [{ source: source('/data/f', 'file'), target: '/opt/x/f', readonly: true }] }),
  )
  const staging = made.ops.findIndex((op) => op.what === 'staging folder')

  test('are opened in the new root and nowhere else', () => {
    const allowed = [
      k.RESOLVE_IN_ROOT | k.RESOLVE_NO_MAGICLINKS,
      k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS,
      k.RESOLVE_NO_SYMLINKS,
    ]
    const opened = made.find('openat2').filter(({ index }) => index > staging)
    expect(opened.length).toBeGreaterThan(20)
    for (const { op } of opened) {
      const path = made.text(op.args[1])
      expect(path).not.toStartWith('/')
      const resolve = made.word(op.args[2], 16)
      expect(allowed).toContain(resolve)
      // Names in the staging folder, which only the set-up can write.
      if (resolve === k.RESOLVE_NO_SYMLINKS) expect(path).toMatch(/^(?:s\d+|root)$/)
    }
  })

  test('are never named by a path when something is attached', () => {
    for (const { op } of made.find('move_mount')) {
      expect([made.text(op.args[1]), made.text(op.args[3])]).toEqual(['', ''])
      expect(op.args[2]).toBeInstanceOf(Ref)
    }
  })

  test('are looked at once more when /proc, /sys and /dev are there', () => {
    const proven = made.ops.flatMap((op, index) => (op.what?.endsWith('another place') ? [index] : []))
    expect(proven.length).toBe(8) // for the mount and the workspace: open, statx twice, compare
    for (const what of ['mount /proc', 'mount /dev', 'mount /sys'])
      expect(Math.min(...proven)).toBeGreaterThan(made.ops.findLastIndex((op) => op.what === what))
    expect(Math.max(...proven)).toBeLessThan(made.index('pivot_root'))
  })

  test('of a sealed mount are an overlay of the folder alone, read-only and of no upper', () => {
    const mounts = [{ source: source('/lib'), target: '/lib', readonly: true, sealed: true } as const]
    const sealed = batchOf(planOf({ mounts }))
    const about = sealed.ops.filter((op) => op.what === 'read-only view at /lib')
    const options = about.filter((op) => op.name === 'fsconfig' && op.args[2] instanceof Data)
    expect(options.map((op) => sealed.text(op.args[2]))).toEqual(['lowerdir', 'userxattr'])
    expect(sealed.text(options[0]?.args[3])).toMatch(/^s\d+:empty$/)
    const [attributes] = sealed.ops.filter((op) => op.what === 'mount /lib')
    expect(sealed.word(attributes?.args[3], 0) & k.MOUNT_ATTR_RDONLY).toBe(k.MOUNT_ATTR_RDONLY)
  })

  test('of read-only mounts become so before they are attached', () => {
    const about = made.ops.flatMap((op, index) => (op.what === 'mount /opt/x/f' ? [{ op, index }] : []))
    expect(about.map(({ op }) => op.name)).toEqual(['mount_setattr', 'move_mount'])
    const wanted = k.MOUNT_ATTR_RDONLY | k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NODEV
    expect(made.word(about[0]?.op.args[3], 0)).toBe(wanted)
  })
})

test('the old root is gone before Landlock and the end of the set-up', () => {
  const made = madeOf()
  const order = ['mount', 'pivot_root', 'umount2', 'landlock_restrict_self', 'listen'].map((name) =>
    made.index(name),
  )
  expect(order).toEqual(order.toSorted((a, b) => a - b))
  expect(order).not.toContain(-1)
  expect(made.find('umount2').map(({ op }) => op.args[1])).toEqual([k.MNT_DETACH])
})

test('loopback is brought up in a network of its own only', () => {
  const none = { ...planOf(), network: 'none' } as const
  expect(batchOf(none).find('ioctl')).toHaveLength(1)
  expect(batchOf({ ...none, network: 'host' }).find('ioctl')).toEqual([])
})

describe('/sys', () => {
  const types = (made: Read): string[] => made.find('fsopen').map(({ op }) => made.text(op.args[0]))
  const READ_ONLY = k.MOUNT_ATTR_RDONLY | k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NODEV | k.MOUNT_ATTR_NOEXEC
  const own = batchOf(planOf({ config: NONE }), new Map(), 9, true)
  const about = (made: Read, what: string) => made.ops.filter((op) => op.what === what)

  test('shows a cgroup only where the box has one, and interfaces of its own only in a network of its own', () => {
    expect(types(madeOf()).filter((type) => type === 'cgroup2' || type === 'sysfs')).toEqual([])
    expect(types(batchOf(planOf(), new Map(), 9, true))).toContain('cgroup2')
    expect(types(own)).toContain('sysfs')
    const paths = (plan: Plan) => planSources(plan).map(({ source }) => source.path)
    expect(paths(planOf())).toContain('/sys/class/net')
    expect(paths(planOf({ config: NONE }))).not.toContain('/sys/class/net')
  })

  test('has everything read-only before it is attached', () => {
    for (const what of ['the cgroup of the box', 'the network interfaces of the box']) {
      const [made] = about(own, what).filter(({ name }) => name === 'fsmount')
      expect(made?.args[2]).toBe(READ_ONLY)
    }
    const shown = about(madeOf(), '/sys/class/net').filter(({ name }) => name.includes('mount'))
    expect(shown.map(({ name }) => name)).toEqual(['mount_setattr', 'move_mount'])
    expect(madeOf().word(shown[0]?.args[3], 0)).toBe(READ_ONLY)
  })

  test('is made without what the kernel refuses, and has no empty folder for it then', () => {
    const optional = [
      ...about(own, 'the cgroup of the box'),
      ...about(own, 'the network interfaces of the box'),
      ...own.ops.filter(
        (op) => op.name === 'move_mount' && /^\/sys\/(?:fs|class|devices\/v)/.test(op.what ?? ''),
      ),
    ]
    expect(optional.length).toBeGreaterThan(8)
    for (const op of optional) expect(op.flags & MAY_FAIL).toBe(MAY_FAIL)
    const removed = own
      .find('unlinkat')
      .filter(({ op }) => op.args[2] === k.AT_REMOVEDIR)
      .map(({ op }) => own.text(op.args[1]))
    expect(removed).toEqual([
      'devices/virtual/net',
      'devices/virtual',
      'class/net',
      'class',
      'fs/cgroup',
      'fs',
    ])
  })
})

test('parameters of its own namespaces are written before they become read-only', () => {
  const made = madeOf()
  const first = made.find('write').find(({ op }) => made.text(op.args[1]) === '64')
  expect(first).toBeDefined()
  const attributes = made.find('mount_setattr').find(({ op }) => op.what === 'read-only /proc/sys')
  expect(first?.index).toBeLessThan(attributes?.index ?? 0)
})

test('folders are covered before mounts that may lie in them, files after, and no more descriptors stay open', () => {
  const covered = { files: ['/etc/secret'], folders: ['/etc/private'] }
  const made = madeOf({ covered })
  const of = (path: string) => made.ops.filter(({ what }) => what === `cover ${path}`).map(({ name }) => name)
  expect(of('/etc/secret')).toEqual(['openat2', 'open_tree', 'move_mount'])
  expect(of('/etc/private').at(-1)).toBe('move_mount')
  const last = made.ops.findLastIndex(({ what }) => what === 'cover /etc/private')
  const workspace = made.ops.findIndex(({ what, name }) => what === 'mount /src/it' && name === 'move_mount')
  expect(last).toBeLessThan(workspace)
  expect(made.ops.findIndex(({ what }) => what === 'cover /etc/secret')).toBeGreaterThan(workspace)
  expect(made.ops.slice(last + 1, last + 3).map(({ name }) => name)).toEqual(['close', 'close'])
  // A box with nothing to cover has no such operation.
  expect(madeOf().ops.some(({ what }) => what?.startsWith('cover'))).toBe(false)
})

test('terminals of a box are limited', () => {
  const made = madeOf()
  const options = made.find('fsconfig').filter(({ op }) => op.what === 'mount /dev/pts')
  const pairs = options.map(({ op }) =>
    op.args[3] === 0 ? '' : `${made.text(op.args[2])}=${made.text(op.args[3])}`,
  )
  expect(pairs).toContain('max=256')
})
