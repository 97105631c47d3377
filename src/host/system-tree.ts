/** Looks at the host's system folders for the skeleton of the `host` image (src/sandbox/host-skeleton.ts). */
import {
  type Dirent,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs'
import { COPIED_ETC, DATABASES, type SystemEntry, type SystemTree } from '../sandbox/host-skeleton.ts'

/** Folders of one package or tool, such as /usr/lib/TOOL: with more folders than this, the deepest are left out. */
const MOST_FOLDERS = 1500
/** Depth below the system's root at which that is counted. */
const COUNTED = 3
const MOST_FILES = 1000 // in a folder of records to copy
const SAME_MS = 1000 // a start asks more than once, and 25 files take 0.2 ms
const OTHERS_READ = 0o004
const OTHERS_LOOK = 0o005
/** Kernels' modules and headers: thousands of folders, and no box installs a kernel. */
const LEFT_OUT = /^(?:\/usr)?(?:\/lib\/modules\/[^/]+|\/src\/(?:linux-|kernels$)[^/]*)$/
/** Installed by other means than a package manager: only their tops. */
const ONLY_TOPS = ['/nix', '/gnu', '/opt'] as const

const found = (path: string): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
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

/** Breadth first, so that what a limit leaves out is the deepest. */
function* below(top: string, enter: (path: string) => boolean): Generator<SystemEntry> {
  const stat = found(top)
  if (!stat?.isDirectory()) return
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

const readable = (path: string): SystemEntry[] => {
  const stat = found(path)
  return stat?.isFile() && stat.mode & OTHERS_READ ? [{ path, mode: stat.mode }] : []
}

export const systemTree: SystemTree = {
  folders: below,
  isFolder: (path) => found(path)?.isDirectory() ?? false,
  exists: (path) => found(path) !== undefined,
  files(path) {
    const stat = found(path)
    if (!stat?.isDirectory()) return readable(path)
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
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  },
}

let last = { state: '', at: Number.NEGATIVE_INFINITY }

/** Changes when packages of the host change, or one of the files that the skeleton copies. At most a second old. */
export function systemState(): string {
  const now = performance.now()
  if (now - last.at > SAME_MS) last = { state: readState(), at: now }
  return last.state
}

function readState(): string {
  const stamps = [...DATABASES, ...COPIED_ETC].map((path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : ''
  })
  return stamps.join(' ')
}
