/**
 * The skeleton of the `host` image: the layer between a box's own files and the host's. The host's files belong to the
 * host's root, who has no id in the box, and overlayfs copies up nothing of theirs. So the skeleton has each of the
 * host's folders once more, owned by the box's root: overlayfs merges the two, and the box can add, replace and delete
 * in it. Files that programs change in place, such as the package database, are copied. Pure: `SystemTree` looks.
 */
import {
  ADOPT,
  ADOPT_PATH,
  APT_CONFIGURATION,
  APT_ONE_ID,
  DPKG_CONFIGURATION,
  POLICY,
  SUDO,
  WAIT,
  WAIT_PATH,
} from './box-programs.ts'
import type { HostImageFacts } from './host-image.ts'
import { IN_USR, overlayName } from './host-image.ts'
import { SUDOERS } from './identity.ts'
import type { IdPlan } from './ids.ts'
import { isWithin } from './sensitive.ts'

/** Paths are relative, and begin with the name of their overlay: `root`, `usr`, `etc`, … */
export interface Skeleton {
  /** Parents come before what is in them. */
  readonly folders: readonly SkeletonFolder[]
  readonly links: readonly { readonly path: string; readonly to: string }[]
  readonly files: readonly SkeletonFile[]
  /** Names that the layers below have and the box does not. */
  readonly whiteouts: readonly string[]
}

export interface SkeletonFolder {
  readonly path: string
  readonly mode: number
  /** Hides the host's folder, which the box could not look into anyway. */
  readonly opaque?: true
}

export type SkeletonFile = { readonly path: string; readonly mode: number } & (
  | { readonly text: string }
  /** An absolute path of the host. */
  | { readonly from: string }
)

/** A folder, file or link of the host, as everybody may see it. */
export interface SystemEntry {
  readonly path: string
  readonly mode: number
}

export interface SystemTree {
  /** The real folders below `top`, parents first and itself included; below those that `enter` names only. */
  folders(top: string, enter: (path: string) => boolean): Iterable<SystemEntry>
  /** Whether a real folder is there. */
  isFolder(path: string): boolean
  /** Whether anything is there. */
  exists(path: string): boolean
  /** The files that everybody may read: the path itself, or the files directly in it. */
  files(path: string): readonly SystemEntry[]
  links(path: string): readonly { readonly path: string; readonly to: string }[]
  names(path: string): readonly string[]
  text(path: string): string
}

/** Folders of the root that every box has, with their modes. */
const ROOT_FOLDERS: Readonly<Record<string, number>> = {
  home: 0o755,
  mnt: 0o755,
  srv: 0o755,
  root: 0o755,
  proc: 0o755,
  sys: 0o755,
  dev: 0o755,
  run: 0o755,
  tmp: 0o1777,
  var: 0o755,
  'var/backups': 0o755,
  'var/cache': 0o755,
  'var/lib': 0o755,
  'var/lib/misc': 0o755,
  'var/local': 0o755,
  'var/log': 0o755,
  'var/mail': 0o1777,
  'var/opt': 0o755,
  'var/spool': 0o755,
  'var/tmp': 0o1777,
}

/** Folders whose own files are changed in place, or linked, by package managers: the box gets copies. */
const COPIED = [
  '/var/lib/dpkg',
  '/var/lib/dpkg/alternatives',
  '/var/lib/dpkg/triggers',
  '/var/lib/apt',
  '/var/lib/rpm',
  '/usr/lib/sysimage/rpm',
  '/var/lib/pacman',
  '/lib/apk/db',
  '/usr/lib/apk/db',
  '/etc/apk',
]

/** Records that scripts of packages keep of one another. Small; without them the scripts fail or ask again. */
const COPIED_TREES = [
  '/var/cache/debconf',
  '/var/lib/aspell',
  '/var/lib/dictionaries-common',
  '/var/lib/doc-base',
  '/var/lib/emacsen-common',
  '/var/lib/ispell',
  '/var/lib/pam',
  '/var/lib/python',
  '/var/lib/sgml-base',
  '/var/lib/systemd/deb-systemd-helper-enabled',
  '/var/lib/systemd/deb-systemd-helper-masked',
  '/var/lib/systemd/deb-systemd-user-helper-enabled',
  '/var/lib/systemd/deb-systemd-user-helper-masked',
  '/var/lib/ucf',
  '/var/lib/vim',
  '/var/lib/xml-core',
]

/** The folder of the box that has the databases of IN_USR: dpkg renames from one of their folders to another. */
const IN_BOX = 'usr/lib/coop'

/** Files of /etc that people and installers write in place, mostly at the end. */
export const COPIED_ETC = [
  '/etc/adduser.conf',
  '/etc/apt/sources.list',
  '/etc/bash.bashrc',
  '/etc/bashrc',
  '/etc/crontab',
  '/etc/environment',
  '/etc/fstab',
  '/etc/inputrc',
  '/etc/ld.so.conf',
  '/etc/locale.conf',
  '/etc/locale.gen',
  '/etc/login.defs',
  '/etc/nsswitch.conf',
  '/etc/profile',
  '/etc/shells',
  '/etc/ssh/ssh_config',
  '/etc/ssh/sshd_config',
  '/etc/sysctl.conf',
  '/etc/zsh/zshrc',
] as const

/** Databases whose change means that packages of the host have changed. */
export const DATABASES = [
  '/var/lib/dpkg/status',
  '/var/lib/rpm/rpmdb.sqlite',
  '/usr/lib/sysimage/rpm/rpmdb.sqlite',
  '/var/lib/pacman/local',
  '/lib/apk/db/installed',
  '/usr/lib/apk/db/installed',
] as const

const NO_PASSWORD = '*:19000:0:99999:7:::' // shadow(5): days and warnings as useradd(8) writes them

const fields = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.split(':')[0] ?? '')
    .filter(Boolean)

/** Files that only the host's root may read or write, as the box's own: locks, and passwords of nobody. */
function privateFiles(tree: SystemTree): SkeletonFile[] {
  const empty = (path: string, mode: number): SkeletonFile => ({ path, mode, text: '' })
  const users = fields(tree.text('/etc/passwd')).map((name) => `${name}:${NO_PASSWORD}\n`)
  const groups = fields(tree.text('/etc/group')).map((name) => `${name}:*::\n`)
  return [
    empty('/etc/.pwd.lock', 0o600),
    // Tools of passwd(5) write their backups in place.
    ...['passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid']
      .filter((name) => tree.exists(`/etc/${name}-`))
      .map((name) => empty(`/etc/${name}-`, 0o600)),
    empty('/etc/subuid', 0o644),
    empty('/etc/subgid', 0o644),
    ...(tree.exists('/etc/shadow') ? [{ path: '/etc/shadow', mode: 0o640, text: users.join('') }] : []),
    ...(tree.exists('/etc/gshadow') ? [{ path: '/etc/gshadow', mode: 0o640, text: groups.join('') }] : []),
    ...['/var/lib/dpkg/lock', '/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/triggers/Lock']
      .filter((path) => tree.exists(path))
      .map((path) => empty(path, 0o640)),
    ...(tree.isFolder('/var/lib/apt/lists') ? [empty('/var/lib/apt/lists/lock', 0o640)] : []),
    ...(tree.isFolder('/var/cache/debconf') ? [empty('/var/cache/debconf/passwords.dat', 0o600)] : []),
  ]
}

function ownPrograms(tree: SystemTree, ids: IdPlan['kind']): SkeletonFile[] {
  const program = (path: string, text: string): SkeletonFile => ({ path, mode: 0o755, text })
  const file = (path: string, text: string): SkeletonFile => ({ path, mode: 0o644, text })
  return [
    program('/usr/local/bin/sudo', SUDO),
    { path: '/etc/sudoers.d/coop', mode: 0o440, text: SUDOERS },
    ...(tree.exists('/usr/sbin/invoke-rc.d') ? [program('/usr/sbin/policy-rc.d', POLICY)] : []),
    ...(tree.isFolder('/etc/dpkg/dpkg.cfg.d')
      ? [
          program(`/${ADOPT_PATH}`, ADOPT),
          program(`/${WAIT_PATH}`, WAIT),
          file('/etc/dpkg/dpkg.cfg.d/coop', DPKG_CONFIGURATION),
        ]
      : []),
    ...(tree.isFolder('/etc/apt/apt.conf.d')
      ? [file('/etc/apt/apt.conf.d/00coop', `${APT_CONFIGURATION}${ids === 'single' ? APT_ONE_ID : ''}`)]
      : []),
  ]
}

/** The folder around it; empty at the top. */
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
const mayEnter = ({ mode }: SystemEntry): boolean => (mode & 0o5) === 0o5

const depthOf = (path: string): number => path.split('/').length - 1

/**
 * Folders whose subfolders are in the skeleton from the start: those that programs write to, or look up before anybody
 * installs a package, such as the libraries of Perl and Python. Thousands lie deeper (`deepFolders`).
 */
const isShallow = (path: string): boolean =>
  depthOf(path) < 3 ||
  /^\/(?:etc|var\/lib\/pacman$|usr\/local\/[^/]+$|usr\/(?:lib|include)\/[^/]+-linux-gnu\b|usr\/lib\/python3|usr\/lib\/[^/]+$|usr\/share\/perl|usr\/share\/(?!bug$|doc$|locale$)[^/]+$)/.test(
    path,
  )

const everywhere = (): boolean => true

/** The host's folders that are layers, and not plain mounts. */
const layersOf = (facts: HostImageFacts): string[] =>
  facts.folders.filter(({ hasMounts }) => !hasMounts).map(({ source }) => source.path)

const folderOf = (layer: string, { path, mode }: SystemEntry): SkeletonFolder => ({
  path: `${overlayName(layer)}${path.slice(layer.length)}`,
  mode: mode & 0o1777,
  ...(mayEnter({ path, mode }) ? {} : { opaque: true }),
})

/**
 * All folders of the host, for a skeleton that a box installs packages on. It takes a second or two to make them, and
 * overlayfs finds those that nobody has looked up yet in a mounted layer, too.
 */
export function* deepFolders(facts: HostImageFacts, tree: SystemTree): Generator<SkeletonFolder> {
  for (const layer of layersOf(facts))
    for (const entry of tree.folders(layer, everywhere)) yield folderOf(layer, entry)
}

/** The contents of the skeleton at first. */
export function hostSkeleton(facts: HostImageFacts, tree: SystemTree, ids: IdPlan['kind']): Skeleton {
  const layered = layersOf(facts)
  /** Where a path of the box is in the skeleton. */
  const isInUsr = (parent: string): boolean => (facts.inUsr ?? []).some(({ path }) => path === parent)
  const inUsr = IN_USR.filter(({ parent }) => isInUsr(parent))
  const placed = (path: string): string => {
    const moved = inUsr.find(({ parent, name }) => isWithin(path, `${parent}/${name}`))
    if (moved) return `usr${path.slice(moved.parent.length)}`
    const own = inUsr.find(({ parent }) => isWithin(path, parent))
    if (own) return `${IN_BOX}/${path.slice('/var/lib/'.length)}`
    const top = layered
      .filter((folder) => path === folder || path.startsWith(`${folder}/`))
      .sort((a, b) => b.length - a.length)[0]
    return top === undefined ? `root${path}` : `${overlayName(top)}${path.slice(top.length)}`
  }
  const folders = new Map<string, SkeletonFolder>()
  const links = new Map<string, { path: string; to: string }>()
  const files = new Map<string, SkeletonFile>()
  const add = (path: string, mode: number): void => {
    const parent = parentOf(path)
    if (parent && !folders.has(parent)) add(parent, 0o755)
    if (!folders.has(path)) folders.set(path, { path, mode })
  }
  for (const top of ['root', ...facts.folders.map(({ source }) => overlayName(source.path))]) add(top, 0o755)
  for (const [path, mode] of Object.entries(ROOT_FOLDERS)) add(`root/${path}`, mode)
  for (const { source } of facts.folders) add(`root${source.path}`, 0o755)
  for (const layer of layered)
    for (const entry of tree.folders(layer, isShallow)) {
      const folder = folderOf(layer, entry)
      folders.set(folder.path, folder)
    }
  const whiteouts: string[] = []
  for (const { parent, name } of inUsr) {
    for (const entry of tree.folders(`${parent}/${name}`, everywhere)) {
      const { path, mode } = entry
      folders.set(placed(path), { ...folderOf(parent, entry), path: placed(path), mode: mode & 0o1777 })
    }
    add(placed(parent), 0o755)
    links.set(`root${parent}`, { path: `root${parent}`, to: `/${placed(parent)}` })
    links.set(`${placed(parent)}/${name}`, { path: `${placed(parent)}/${name}`, to: `/usr/${name}` })
    const other = tree.names(parent).filter((one) => one !== name && !folders.has(`usr/${one}`))
    whiteouts.push(...other.filter((one) => !tree.exists(`/usr/${one}`)).map((one) => `usr/${one}`))
  }
  if (tree.isFolder('/var/lib/dpkg'))
    for (const name of ['parts', 'updates']) add(placed(`/var/lib/dpkg/${name}`), 0o755)
  // A trigger of nearly every package makes it for a user of its own, which a box with one id does not have.
  if (ids === 'single' && tree.isFolder('/var/cache/man')) add(placed('/var/cache/man'), 0o755)
  const put = (file: SkeletonFile): void => {
    const path = placed(file.path)
    add(parentOf(path), 0o755)
    files.set(path, { ...file, path })
  }
  const copy = (entry: SystemEntry): void =>
    put({ path: entry.path, mode: entry.mode & 0o777, from: entry.path })
  for (const top of COPIED_TREES)
    for (const folder of tree.folders(top, everywhere)) {
      if (!mayEnter(folder)) continue
      add(placed(folder.path), folder.mode & 0o1777)
      for (const entry of tree.files(folder.path)) copy(entry)
      for (const link of tree.links(folder.path))
        links.set(placed(link.path), { ...link, path: placed(link.path) })
    }
  for (const path of [...COPIED, ...COPIED_ETC])
    for (const entry of tree.files(path)) if (!entry.path.endsWith('-old')) copy(entry)
  // Apt changes the owner of these even if the mirror has nothing newer.
  for (const entry of tree.files('/var/lib/apt/lists')) if (/Release(?:\.gpg)?$/.test(entry.path)) copy(entry)
  for (const file of [...privateFiles(tree), ...ownPrograms(tree, ids)]) put(file)
  for (const { at, to } of facts.links) links.set(`root${at}`, { path: `root${at}`, to })
  links.set('root/var/run', { path: 'root/var/run', to: '../run' })
  return { folders: [...folders.values()], links: [...links.values()], files: [...files.values()], whiteouts }
}
