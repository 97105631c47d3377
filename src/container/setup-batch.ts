/**
 * Carries out a plan: one batch of syscalls for a box's init, run once, before anything of the box runs.
 *
 * Order matters. First, sources are opened and cloned, while the host's tree still matches the plan. Then a staging
 * tmpfs hides /tmp in init's mount namespace. Then the box gets its own files. Then the new root is built, with every
 * target resolved inside it. Last, the old root is detached.
 */

import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import type { Batch, Ref } from '../../ffi/batch.ts'
import { forgetProgram } from '../../ffi/program.ts'
import { BOX_TERMINALS } from '../host/kernel-limits.ts'
import { ownerInside } from '../sandbox/ids.ts'
import type { Plan, Source, Step } from '../sandbox/plan.ts'
import { makeMasks } from './mask-batch.ts'
import { BOUND, MountBatch, type PreparedMounts, QUIET } from './mount-batch.ts'
import { makeOwnFiles, ownFiles } from './own-files.ts'
import { type OwnNamespaces, sysTree } from './sys-tree.ts'

/** The first words of a sealed mount's purpose, by which errors about it are recognized. */
export const SEALED = 'read-only view at '
const STAGE = '/tmp' // a folder that every Linux has; only this namespace sees it replaced

export interface SetupInput {
  readonly plan: Plan
  /** The box's own folder on the host, which contains `upper/` and `work/`. */
  readonly store: Source
  readonly prepared: PreparedMounts
  /** Files of the box's home, by name. */
  readonly homeFiles: Readonly<Record<string, string>>
  /** The socket on which later daemons reach init. Without one the box ends with the process that made it. */
  readonly listener?: number
  /** Whether init is alone in its cgroup, which is the root of its cgroup namespace. */
  readonly ownCgroup?: boolean
}

function proc(setup: MountBatch, step: Extract<Step, { do: 'proc' }>, emptyDevice: Ref): void {
  const mount = setup.create('proc', {}, QUIET, 'mount /proc')
  setup.attach(mount, setup.target('/proc', 'folder'), 'mount /proc')
  // From here on use the mount's own descriptor: no name of the image is involved (CVE-2025-31133, CVE-2025-52881).
  const below = (name: string): Ref =>
    setup.open(mount, name, k.O_PATH, k.RESOLVE_NO_SYMLINKS | k.RESOLVE_BENEATH, `/proc/${name}`)
  for (const [name, value] of Object.entries(step.parameters)) {
    const resolve = k.RESOLVE_NO_SYMLINKS | k.RESOLVE_BENEATH
    const file = setup.open(mount, name, k.O_WRONLY, resolve, `/proc/${name}`)
    const text = Buffer.from(`${value}`)
    setup.batch.call('write', [file, text, text.length], { what: `/proc/${name}` })
  }
  const clone = k.OPEN_TREE_CLONE | k.OPEN_TREE_CLOEXEC | k.AT_EMPTY_PATH
  for (const name of step.readonly) {
    const target = below(name)
    const what = `read-only /proc/${name}`
    const copy = setup.batch.call('open_tree', [target, '', clone], { scoped: true, what })
    setup.attributes(copy, QUIET | k.MOUNT_ATTR_RDONLY, false, what)
    setup.attach(copy, target, what)
  }
  for (const name of step.maskedFiles) {
    const target = below(name)
    const copy = setup.batch.call('open_tree', [emptyDevice, '', clone], { scoped: true })
    setup.attach(copy, target, `mask /proc/${name}`)
  }
  for (const name of step.maskedFolders) {
    const target = below(name)
    const empty = setup.create('tmpfs', { size: '4k' }, QUIET | k.MOUNT_ATTR_RDONLY, `mask /proc/${name}`)
    setup.attach(empty, target, `mask /proc/${name}`)
  }
}

function dev(setup: MountBatch, devices: ReadonlyMap<string, Ref>): void {
  const mount = setup.create(
    'tmpfs',
    { mode: '0755', size: '64k' },
    k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NOEXEC,
    'mount /dev',
  )
  setup.attach(mount, setup.target('/dev', 'folder'), 'mount /dev')
  const below = (name: string, flags: number): Ref =>
    setup.open(mount, name, flags, k.RESOLVE_NO_SYMLINKS | k.RESOLVE_BENEATH, `/dev/${name}`)
  for (const [path, device] of devices) {
    const name = path.slice('/dev/'.length)
    below(name, k.O_CREAT | k.O_EXCL | k.O_WRONLY)
    setup.attach(device, below(name, k.O_PATH), `bind ${path}`)
  }
  const folder = (name: string): Ref => {
    setup.batch.call('mkdirat', [mount, name, 0o755])
    return below(name, k.O_PATH | abi.O_DIRECTORY)
  }
  // The box gets its own devpts instance, so that its terminals are in no list of the host's (CVE-2025-52565).
  const pts = setup.create(
    'devpts',
    { newinstance: null, mode: '0620', ptmxmode: '0666', max: String(BOX_TERMINALS) },
    k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NOEXEC,
    'mount /dev/pts',
  )
  setup.attach(pts, folder('pts'), 'mount /dev/pts')
  const shm = setup.create('tmpfs', { mode: '1777' }, QUIET, 'mount /dev/shm')
  setup.attach(shm, folder('shm'), 'mount /dev/shm')
  makeMasks(setup, folder('.coop'), QUIET)
  const links = [
    ['ptmx', 'pts/ptmx'],
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ] as const
  for (const [name, to] of links) setup.batch.call('symlinkat', [to, mount, name])
}

function emptyDeviceOf(devices: ReadonlyMap<string, Ref>): Ref {
  const empty = devices.get('/dev/null')
  if (!empty) throw new Error('no /dev/null in the plan')
  return empty
}

/** Skips files that the box has removed or replaced since its first start: these are no longer the host's. */
function cover(setup: MountBatch, step: Extract<Step, { do: 'cover' }>, emptyDevice: () => Ref): void {
  const clone = k.OPEN_TREE_CLONE | k.OPEN_TREE_CLOEXEC | k.AT_EMPTY_PATH
  // Close each descriptor at once: there may be hundreds, and a process has a thousand.
  const over = (path: string, flags: number, make: () => Ref): void => {
    const what = `cover ${path}`
    const target = setup.inRoot(path, flags, what, true, false)
    const mount = make()
    setup.attach(mount, target, what, true)
    for (const fd of [target, mount]) setup.batch.call('close', [fd], { mayFail: true })
  }
  for (const path of step.files)
    over(path, k.O_PATH, () =>
      setup.batch.call('open_tree', [emptyDevice(), '', clone], { what: `cover ${path}` }),
    )
  for (const path of step.folders)
    over(path, k.O_PATH | abi.O_DIRECTORY, () =>
      setup.create('tmpfs', { mode: '0755', size: '64k' }, QUIET, `cover ${path}`, { scoped: false }),
    )
}

function makeStep(
  setup: MountBatch,
  step: Step,
  mounts: Map<Source, Ref>,
  staged: (source: Source) => string,
  store: string,
  devices: ReadonlyMap<string, Ref>,
  own: OwnNamespaces,
): void {
  const mountOf = (source: Source): Ref => {
    const mount = mounts.get(source)
    if (!mount) throw new Error(`${source.path} was not acquired`)
    return mount
  }
  switch (step.do) {
    case 'folder':
      setup.folders(step.at, step.mode)
      return
    case 'link': {
      const at = step.at.lastIndexOf('/')
      setup.folders(step.at.slice(0, at), 0o755)
      const dir = setup.inRoot(step.at.slice(0, at), k.O_PATH | abi.O_DIRECTORY, `link ${step.at}`)
      setup.batch.call('symlinkat', [step.to, dir, step.at.slice(at + 1)], { mayFail: true })
      return
    }
    case 'links':
      setup.softLinks(step.links)
      return
    case 'tmpfs': {
      const attributes = step.exec ? BOUND : QUIET
      const what = `mount ${step.at}`
      const mount = setup.create('tmpfs', { mode: step.mode.toString(8) }, attributes, what)
      setup.attach(mount, setup.target(step.at, 'folder'), what)
      return
    }
    case 'overlay': {
      const what = `mount ${step.at}`
      const mount = setup.overlay(step.lower.map(staged), store, step.upper, what)
      setup.attach(mount, setup.target(step.at, 'folder'), what)
      return
    }
    case 'bind': {
      const what = `mount ${step.at}`
      const mount = step.sealed
        ? setup.sealed(staged(step.source), `${SEALED}${step.at}`)
        : mountOf(step.source)
      setup.attributes(mount, BOUND | (step.readonly ? k.MOUNT_ATTR_RDONLY : 0), step.recursive, what)
      setup.promise(mount, step.at, step.existing ? 'existing' : step.source.type, what)
      return
    }
    case 'proc': {
      proc(setup, step, emptyDeviceOf(devices))
      return
    }
    case 'cover':
      cover(setup, step, () => emptyDeviceOf(devices))
      return
    case 'dev':
      dev(setup, devices)
      return
    case 'sys':
      sysTree(
        setup,
        step.shown.map((source) => ({ path: source.path, mount: mountOf(source) })),
        own,
      )
      return
  }
}

function sourcesOf(step: Step): { source: Source; recursive: boolean }[] {
  if (step.do === 'overlay') return step.lower.map((source) => ({ source, recursive: false }))
  if (step.do === 'bind') return [{ source: step.source, recursive: step.recursive }]
  if (step.do === 'sys') return step.shown.map((source) => ({ source, recursive: false }))
  if (step.do === 'dev') return step.devices.map((source) => ({ source, recursive: false }))
  return []
}

/** Every host file or folder that the plan mounts, in the order of opening. */
export function planSources(plan: Plan): { source: Source; recursive: boolean }[] {
  return [
    ...plan.root.lower.map((source) => ({ source, recursive: false })),
    ...plan.steps.flatMap(sourcesOf),
  ]
}

/** The batch that turns init's copy of the host's tree into the box's tree. */
export function setupBatch(input: SetupInput): Batch {
  const { plan, store, prepared, homeFiles, listener, ownCgroup = false } = input
  const setup = new MountBatch(prepared)
  const { batch } = setup
  // First of all, make init non-dumpable: __ptrace_may_access in the kernel then keeps root of the box from looking at
  // it through ptrace(2) or /proc/PID (CVE-2019-5736).
  batch.call('prctl', [k.PR_SET_DUMPABLE, 0, 0, 0, 0])
  batch.call('umask', [0])
  const mounts = new Map<Source, Ref>()
  const storeMount = setup.acquire(store, false)
  for (const { source, recursive } of planSources(plan)) mounts.set(source, setup.acquire(source, recursive))
  if (plan.ids.kind !== 'single' && !plan.keptGroups)
    batch.call('setgroups', [0, 0], { what: 'drop supplementary groups' })
  batch.call('setresgid', [0, 0, 0])
  batch.call('setresuid', [0, 0, 0])
  batch.call('prctl', [k.PR_SET_DUMPABLE, 0, 0, 0, 0]) // the change of ids has reset it (commit_creds in the kernel)
  forgetProgram(batch)
  batch.call('mount', ['none', '/', 0, k.MS_REC | k.MS_PRIVATE, 0], {
    what: 'detach from the mounts of the host',
  })
  batch.call('mount', ['coop', STAGE, 'tmpfs', k.MS_NOSUID | k.MS_NODEV, 'size=64k,mode=0700'], {
    what: 'staging folder',
  })
  batch.call('chdir', [STAGE])

  const stagedAt = new Map<Source, string>()
  const staged = (source: Source): string => {
    const known = stagedAt.get(source)
    if (known) return known
    const mount = mounts.get(source)
    if (!mount) throw new Error(`${source.path} was not acquired`)
    const name = setup.stage(mount)
    stagedAt.set(source, name)
    return name
  }
  const storeAt = setup.stage(storeMount)
  setup.attributes(storeMount, BOUND, false, 'the files of the box')
  makeOwnFiles(setup, `${storeAt}/upper`, ownFiles(plan, homeFiles))
  setup.enterRoot(
    setup.overlay(plan.root.lower.map(staged), storeAt, 'root', `mount the image ${plan.image}`),
  )
  const devices = new Map<string, Ref>()
  for (const step of plan.steps) {
    if (step.do !== 'dev') continue
    for (const source of step.devices) devices.set(source.path, mounts.get(source) as Ref)
  }
  const own = { network: plan.network === 'none', cgroup: ownCgroup }
  for (const step of plan.steps) makeStep(setup, step, mounts, staged, storeAt, devices, own)
  setup.provePlaces()

  batch.call('sethostname', [plan.hostname, Buffer.byteLength(plan.hostname)])
  if (plan.network === 'none') loopbackUp(batch)
  batch.call('fchdir', [setup.root])
  batch.call('pivot_root', ['.', '.'], { what: 'enter the new root' })
  batch.call('umount2', ['.', k.MNT_DETACH], { what: 'leave the old root' })
  batch.call('chdir', ['/'])
  if (plan.confinement.landlockScope) landlockScope(batch)
  // Listen last: an unfinished box ends with its daemon.
  if (listener !== undefined) batch.listen(batch.fd(listener), ownerInside(plan.ids))
  return batch
}

function loopbackUp(batch: Batch): void {
  const socket = batch.call('socket', [2 /* AF_INET */, 2 /* SOCK_DGRAM */, 0], { scoped: true })
  const request = Buffer.alloc(40) // struct ifreq
  request.write('lo\0', 0)
  request.writeInt16LE(0x1 /* IFF_UP */ | 0x40 /* IFF_RUNNING */, 16)
  batch.call('ioctl', [socket, 0x8914 /* SIOCSIFFLAGS */, request], { what: 'bring up loopback' })
}

/** The whole box is one Landlock domain: it keeps its own abstract sockets and cannot reach the host's. */
function landlockScope(batch: Batch): void {
  const attr = new BigUint64Array([0n, 0n, BigInt(k.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)])
  const what = 'Landlock scope'
  const size = attr.byteLength
  const ruleset = batch.call('landlock_create_ruleset', [new Uint8Array(attr.buffer), size, 0], {
    scoped: true,
    what,
  })
  batch.call('prctl', [k.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0])
  batch.call('landlock_restrict_self', [ruleset, 0], { what })
}
