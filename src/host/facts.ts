/** Facts about the host that planning needs. Facts that do not change are read once per daemon. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { LANDLOCK_CREATE_RULESET_VERSION } from '../../ffi/abi/constants.ts'
import { syscall } from '../../ffi/libc.ts'
import { CoopError } from '../core/errors.ts'
import type { HostImageFacts, SystemFolder } from '../sandbox/host-image.ts'
import { HOST_FOLDERS, HOST_MERGED, IN_USR, PACKAGE_FOLDERS } from '../sandbox/host-image.ts'
import { BOX_IDS, type IdFacts, planIds, rootRange } from '../sandbox/ids.ts'
import { MASKED_FILES, MASKED_FOLDERS, READONLY } from '../sandbox/kernel-files.ts'
import type { Source } from '../sandbox/plan.ts'
import type { UserParameters } from '../sandbox/shared-counts.ts'
import { GroupFiles } from './group-files.ts'
import { MINIMUM_KERNEL } from './minimum-kernel.ts'
import { findSystemProgram } from './programs.ts'

export interface HostFacts {
  readonly ids: IdFacts
  /** The supplementary groups of this process. */
  readonly groups: readonly number[]
  readonly home: string
  readonly newuidmap: string | undefined
  readonly newgidmap: string | undefined
  readonly image: HostImageFacts
  /** Files of the image that only the user may read. */
  readonly groupFiles: GroupFiles
  readonly devices: readonly Source[]
  readonly sys: readonly Source[]
  readonly landlockAbi: number
  readonly lastCapability: number
  /** The kernel files below /proc that exist here, out of those that a box must not have. */
  readonly procNames: ReadonlySet<string>
  /** The values of /proc/sys/user. */
  readonly userParameters: UserParameters
  /** Hard limits of this process, which a box cannot exceed (proc_pid_limits(5)). */
  readonly hardLimits: { readonly processes: number; readonly openFiles: number }
}

const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'] as const
/** The part of /sys that ordinary programs read: the number of processors and their arrangement. */
const SYS_SHOWN = ['/sys/devices/system/cpu', '/sys/devices/system/node'] as const

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // a missing file counts as empty
  }
}

/** The file or folder at a path, links resolved; undefined if nothing is there or it may not be looked at. */
export function sourceOf(path: string, owner: Source['owner']): Source | undefined {
  try {
    return plainSource(realpathSync(path), owner)
  } catch {
    return undefined
  }
}

/** The same at a path without links. */
export function plainSource(path: string, owner: Source['owner']): Source | undefined {
  try {
    const stat = statSync(path, { bigint: true })
    // The encoding of dev_t in glibc and the kernel's new_encode_dev (makedev(3)).
    const major = Number(((stat.dev >> 8n) & 0xfffn) | ((stat.dev >> 32n) & 0xfffff000n))
    const minor = Number((stat.dev & 0xffn) | ((stat.dev >> 12n) & 0xffffff00n))
    const type = stat.isDirectory() ? 'folder' : 'file'
    return { path, device: { major, minor }, inode: Number(stat.ino), type, owner }
  } catch {
    return undefined
  }
}

/** Mount points of this process's namespace (proc_pid_mountinfo(5), field 5, octal escapes undone). */
export function mountPoints(): string[] {
  return read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter(Boolean)
    .map((path) =>
      path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
}

function imageFacts(): HostImageFacts {
  const mounts = mountPoints()
  const folders: SystemFolder[] = []
  const links: { at: string; to: string }[] = []
  for (const path of [...HOST_FOLDERS, ...HOST_MERGED]) {
    if (!existsSync(path)) continue
    if (lstatSync(path).isSymbolicLink()) {
      links.push({ at: path, to: readlinkSync(path) })
      continue
    }
    const source = sourceOf(path, 'system')
    if (source?.type !== 'folder') continue
    folders.push({ source, hasMounts: mounts.some((mount) => mount.startsWith(`${path}/`)) })
  }
  const plainFolder = (path: string): Source | undefined => {
    const source = sourceOf(path, 'system')
    const isPlain = source?.path === path && source.type === 'folder'
    return isPlain && !mounts.some((mount) => mount.startsWith(`${path}/`)) ? source : undefined
  }
  for (const path of PACKAGE_FOLDERS) {
    const source = plainFolder(path)
    if (source) folders.push({ source, hasMounts: false })
  }
  const hasUsr = folders.some(({ source, hasMounts }) => source.path === '/usr' && !hasMounts)
  const inUsr = IN_USR.flatMap(({ parent, name }) => {
    const isFree = hasUsr && plainFolder(`${parent}/${name}`) !== undefined && !existsSync(`/usr/${name}`)
    const source = isFree ? plainFolder(parent) : undefined
    return source ? [source] : []
  })
  return { folders, links, inUsr }
}

/** The name in /etc/passwd, which newuidmap uses, too; the environment's USER may be wrong. */
export function userNameOf(uid: number): string {
  const line = read('/etc/passwd')
    .split('\n')
    .find((candidate) => candidate.split(':')[2] === String(uid))
  return line?.split(':')[0] || userInfo().username
}

function sources(paths: readonly string[]): Source[] {
  return paths.flatMap((path) => sourceOf(path, 'system') ?? [])
}

function hardLimit(limits: string, name: string): number {
  const hard = new RegExp(`^${name}\\s+\\S+\\s+(\\d+|unlimited)`, 'm').exec(limits)?.[1]
  return hard === undefined || hard === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(hard)
}

function userParameters(): UserParameters {
  const folder = '/proc/sys/user'
  if (!existsSync(folder)) return {}
  const pairs = readdirSync(folder).map((name) => [name, Number(read(`${folder}/${name}`))] as const)
  return Object.fromEntries(pairs.filter(([, most]) => Number.isSafeInteger(most)))
}

/** Root of a user namespace may have no ids to give to a box. Raises E_ISOLATION then. */
function checkRange(uid: number, subuid: string, subgid: string): void {
  if (uid !== 0) return
  const start = rootRange(subuid, subgid)
  const covered = read('/proc/self/uid_map')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside = 0, , count = 0]) => start >= inside && start + BOX_IDS <= inside + count)
  if (covered) return
  throw new CoopError('E_ISOLATION', 'root of this user namespace has no range of ids to give to a box', {
    hint: 'run coop outside of the namespace, or as an ordinary user',
  })
}

/** Reads the facts now. Raises E_ISOLATION if the kernel lacks something that a box needs. */
export function hostFacts(home: string): HostFacts {
  if (!existsSync('/proc/self/ns/user'))
    throw new CoopError('E_ISOLATION', 'this kernel has no user namespaces', {
      hint: `use a kernel with CONFIG_USER_NS=y, Linux ${MINIMUM_KERNEL} or newer`,
    })
  const { uid, gid } = userInfo()
  const newuidmap = findSystemProgram('newuidmap')
  const newgidmap = findSystemProgram('newgidmap')
  if (read('/proc/sys/user/max_user_namespaces').trim() === '0')
    throw new CoopError('E_ISOLATION', 'user namespaces are switched off on this host', {
      hint: 'sudo sysctl user.max_user_namespaces=15000',
    })
  checkRange(uid, read('/etc/subuid'), read('/etc/subgid'))
  const limits = read('/proc/self/limits')
  const abi = syscall('landlock_create_ruleset', 0, 0, LANDLOCK_CREATE_RULESET_VERSION)
  const groups = (process.getgroups?.() ?? []).filter((group) => group !== gid)
  const ids = {
    uid,
    gid,
    userName: userNameOf(uid),
    subuid: read('/etc/subuid'),
    subgid: read('/etc/subgid'),
    hasNewuidmap: newuidmap !== undefined && newgidmap !== undefined,
  }
  return {
    ids,
    groups,
    home,
    newuidmap,
    newgidmap,
    image: imageFacts(),
    groupFiles: new GroupFiles({ uid, groups, ids: planIds(ids).kind }),
    devices: sources(DEVICES),
    sys: sources(SYS_SHOWN),
    landlockAbi: Math.max(0, abi),
    lastCapability: Number(read('/proc/sys/kernel/cap_last_cap').trim() || 40),
    procNames: new Set(
      [...READONLY, ...MASKED_FILES, ...MASKED_FOLDERS].filter((name) => existsSync(`/proc/${name}`)),
    ),
    userParameters: userParameters(),
    hardLimits: {
      processes: hardLimit(limits, 'Max processes'),
      openFiles: hardLimit(limits, 'Max open files'),
    },
  }
}
