/**
 * The embedded `host` image: overlays over the host's /usr, /opt and /etc, the usual links, and none of the user's own
 * files. It is composed folder by folder: the kernel does not clone a mount with locked mounts below it, so `/` itself
 * cannot be a layer (docs/architecture.md).
 */
import type { Source, Step } from './plan.ts'

/** A folder of the host's root, with the facts that planning needs. */
export interface SystemFolder {
  readonly source: Source
  /** Other file systems are mounted below it, so it cannot be an overlay's layer. */
  readonly hasMounts: boolean
}

export interface HostImageFacts {
  readonly folders: readonly SystemFolder[]
  /** Links of the root, e.g. `/bin` to `usr/bin`. */
  readonly links: readonly { readonly at: string; readonly to: string }[]
}

/** Folders of the host's root that make up the image, if the host has them. */
export const HOST_FOLDERS = ['/usr', '/opt', '/etc', '/nix', '/gnu'] as const
export const HOST_MERGED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'] as const

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
  'var/cache': 0o755,
  'var/lib': 0o755,
  'var/log': 0o755,
  'var/tmp': 0o1777,
}

/**
 * Folders into which programs are installed. The host's own belong to the host's root, who has no id in the box, so the
 * box could add nothing to them. The skeleton has a folder of the same name, and overlayfs merges the two.
 */
const OPEN_FOLDERS = [
  'usr/bin',
  'usr/sbin',
  'usr/include',
  'usr/lib',
  'usr/lib/python3',
  'usr/lib/python3/dist-packages',
  'usr/lib/node_modules',
  'usr/share',
  'usr/local',
  'usr/local/bin',
  'usr/local/sbin',
  'usr/local/etc',
  'usr/local/include',
  'usr/local/lib',
  'usr/local/lib/node_modules',
  'usr/local/share',
  'usr/local/share/man',
  'usr/local/src',
  'etc/alternatives',
  'etc/profile.d',
  'etc/ssl',
  'etc/ssl/certs',
] as const

/** A layer between a box's own files and the host's: folders that the image needs and the host cannot provide. */
export interface Skeleton {
  /** By name of its overlay: `root`, `usr`, `etc`, … */
  readonly folders: readonly { readonly path: string; readonly mode: number }[]
  readonly links: readonly { readonly path: string; readonly to: string }[]
}

const nameOf = (source: Source): string => source.path.slice(1).replaceAll('/', '-')

/** The contents of the skeleton. `exists` tells whether the host has a real folder at that path. */
export function hostSkeleton(facts: HostImageFacts, exists: (path: string) => boolean): Skeleton {
  const mountable = facts.folders.map(({ source }) => source.path.slice(1))
  const tops = ['root', ...facts.folders.map(({ source }) => nameOf(source))]
  return {
    folders: [
      ...tops.map((path) => ({ path, mode: 0o755 })),
      ...[...Object.entries(ROOT_FOLDERS), ...mountable.map((path) => [path, 0o755] as const)].map(
        ([path, mode]) => ({ path: `root/${path}`, mode }),
      ),
      ...OPEN_FOLDERS.filter((path) => exists(`/${path}`)).map((path) => ({ path, mode: 0o755 })),
    ],
    links: [
      ...facts.links.map(({ at, to }) => ({ path: `root${at}`, to })),
      { path: 'root/var/run', to: '../run' },
    ],
  }
}

/**
 * The layers between a box's own files and the host's, topmost first, by name of the overlay: the layers of images made
 * from boxes of this image, then the skeleton.
 */
export type HostLayers = ReadonlyMap<string, readonly Source[]>

/** The tree of the image, without the parts that every box has, and notes on restrictions. */
export function hostImage(
  facts: HostImageFacts,
  layers: HostLayers,
): { root: Source[]; steps: Step[]; notes: string[] } {
  const notes: string[] = []
  const steps = facts.folders.map(({ source, hasMounts }): Step => {
    const upper = nameOf(source)
    if (!hasMounts)
      return { do: 'overlay', at: source.path, lower: [...(layers.get(upper) ?? []), source], upper }
    notes.push(
      `${source.path} is read-only in the box: the host has other file systems mounted in it; sockets there can be connected to`,
    )
    return { do: 'bind', at: source.path, source, readonly: true, recursive: true }
  })
  return { root: [...(layers.get('root') ?? [])], steps, notes }
}
