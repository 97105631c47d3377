/** Looks at the host's system folders for the skeleton of the `host` image (src/sandbox/host-skeleton.ts). */
import {
  type Dirent,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { COPIED_ETC, DATABASES, type SystemEntry, type SystemTree } from '../sandbox/host-skeleton.ts'

/** Folders of one package or tool, such as /usr/lib/TOOL: with more folders than this, the deepest are left out. */
const MOST_FOLDERS = 1500
/** Depth below the system's root at which that is counted. */
const COUNTED = 3
const MOST_FILES = 1000 // in a folder of records to copy
const SAME_MS = 1000 // a start asks more than once, and 25 files take 0.2 ms
const OTHERS_PASS = 0o001
const OTHERS_READ = 0o004
const OTHERS_LOOK = 0o005
/** Kernels' modules and headers: thousands of folders, and no box installs a kernel. */
const LEFT_OUT = /^(?:\/usr)?(?:\/lib\/modules\/[^/]+|\/src\/(?:linux-|kernels$)[^/]*)$/
/** Installed by other means than a package manager: only their tops. */
const ONLY_TOPS = ['/nix', '/gnu', '/opt'] as const

const found = (path: string, look: typeof lstatSync | typeof statSync = lstatSync): Stats | undefined => {
  try {
    return look(path, { throwIfNoEntry: false })
  } catch {
    return undefined // a folder on the way is closed
  }
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return [] // closed to the user, or gone
  }
}

/** Real folders directly in one that everybody may look into. */
function inside({ path, mode }: SystemEntry, links: number): (SystemEntry & { readonly links: number })[] {
  // Two links: no folder in it, where the file system counts (btrfs and overlayfs always say 1).
  if ((mode & OTHERS_LOOK) !== OTHERS_LOOK || links === 2) return []
  return entriesOf(path).flatMap((entry) => {
    if (!entry.isDirectory()) return []
    const below = `${path}/${entry.name}`
    const stat = found(below)
    return stat?.isDirectory() && !LEFT_OUT.test(below)
      ? [{ path: below, mode: stat.mode, links: stat.nlink }]
      : []
  })
}

/**
 * Whether everybody may pass the folders on the way to a path. Root may pass all: what it copies from below a closed
 * folder, such as a private /etc/ssh, would be open in the box.
 */
export function isReachable(path: string): boolean {
  try {
    for (let at = realpathSync(dirname(path)); ; at = dirname(at)) {
      if (!(statSync(at).mode & OTHERS_PASS)) return false
      if (at === '/') return true
    }
  } catch {
    return false // closed to the user, or gone
  }
}

/** Breadth first, so that what a limit leaves out is the deepest. */
function* below(top: string, enter: (path: string) => boolean): Generator<SystemEntry> {
  const stat = found(top)
  if (!stat?.isDirectory() || !isReachable(top)) return
  const all = [{ path: top, mode: stat.mode, links: stat.nlink }]
  const counts = new Map<string, number>()
  for (let at = 0; at < all.length; at++) {
    const folder = all[at]
    if (!folder) break
    yield folder
    if (!enter(folder.path) || ONLY_TOPS.some((only) => only === top)) continue
    const counted = folder.path.split('/', COUNTED + 1).join('/')
    const count = counts.get(counted) ?? 0
    if (count > MOST_FOLDERS) continue
    const next = inside(folder, folder.links)
    counts.set(counted, count + next.length)
    all.push(...next)
  }
}

/** Whether this is a file that every user of the machine may read, once its folder is reached. */
export const isOpenFile = (stat: Stats | undefined): stat is Stats =>
  stat?.isFile() === true && (stat.mode & OTHERS_READ) !== 0

const readable = (path: string): SystemEntry[] => {
  const stat = found(path)
  return isOpenFile(stat) ? [{ path, mode: stat.mode }] : []
}

export const systemTree: SystemTree = {
  folders: below,
  isFolder: (path) => found(path)?.isDirectory() ?? false,
  exists: (path) => found(path) !== undefined,
  files(path) {
    const stat = found(path)
    if (!stat || !isReachable(path)) return []
    if (!stat.isDirectory()) return readable(path)
    if ((stat.mode & OTHERS_LOOK) !== OTHERS_LOOK) return []
    return entriesOf(path)
      .slice(0, MOST_FILES)
      .flatMap((entry) => (entry.isFile() ? readable(`${path}/${entry.name}`) : []))
  },
  links: (path) =>
    entriesOf(path).flatMap((entry) => {
      const at = `${path}/${entry.name}`
      return entry.isSymbolicLink() ? [{ path: at, to: readlinkSync(at) }] : []
    }),
  names: (path) => entriesOf(path).map(({ name }) => name),
  text(path) {
    try {
      return isOpenFile(statSync(path)) ? readFileSync(path, 'utf8') : ''
    } catch {
      return ''
    }
  },
}

const COPIED_FROM = [...new Set(COPIED_ETC.map((path) => dirname(path)))]

let last = { state: '', at: Number.NEGATIVE_INFINITY }

/**
 * Changes when packages of the host change, or one of the files that the skeleton copies, or when one of these is
 * closed to others. At most a second old.
 */
export function systemState(): string {
  const now = performance.now()
  if (now - last.at > SAME_MS) last = { state: readState(), at: now }
  return last.state
}

function readState(): string {
  const stamps = [...DATABASES, ...COPIED_ETC].map((path) => {
    const stat = found(path, statSync)
    return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.mode & OTHERS_READ}` : ''
  })
  const folders = COPIED_FROM.map((path) => (found(path, statSync)?.mode ?? 0) & OTHERS_PASS)
  return [...stamps, ...folders].join(' ')
}
