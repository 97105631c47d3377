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
  /** The parents of IN_USR that are layers of /usr. */
  readonly inUsr?: readonly Source[]
  /** Links of the root, e.g. `/bin` to `usr/bin`. */
  readonly links: readonly { readonly at: string; readonly to: string }[]
}

/** Folders of the host's root that make up the image, if the host has them. */
export const HOST_FOLDERS = ['/usr', '/opt', '/etc', '/nix', '/gnu'] as const
export const HOST_MERGED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'] as const

/** Databases of package managers that get an overlay. Each one costs a start a millisecond or more. */
export const PACKAGE_FOLDERS = ['/var/lib/pacman'] as const

/**
 * Folders with thousands of files of package managers, in folders that are one more layer of /usr: so they cost no
 * overlay. The box has links to them, and whiteouts hide the other names of their parents (host-skeleton.ts).
 */
export const IN_USR = [
  { parent: '/var/lib/dpkg', name: 'info' },
  { parent: '/var/lib/apt', name: 'lists' },
] as const

/** The name of the overlay at a path of the box. */
export const overlayName = (path: string): string => path.slice(1).replaceAll('/', '-')

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
    const upper = overlayName(source.path)
    const below = source.path === '/usr' ? (facts.inUsr ?? []) : []
    if (!hasMounts)
      return {
        do: 'overlay',
        at: source.path,
        lower: [...(layers.get(upper) ?? []), source, ...below],
        upper,
      }
    notes.push(
      `${source.path} is read-only in the box: the host has other file systems mounted in it; sockets there can be connected to`,
    )
    return { do: 'bind', at: source.path, source, readonly: true, recursive: true }
  })
  return { root: [...(layers.get('root') ?? [])], steps, notes }
}
