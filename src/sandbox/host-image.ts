/**
 * The embedded `host` image: the host's /usr, /opt and /etc below overlays, the usual links, and nothing of
 * the user's own files. Composed folder by folder, because the kernel does not clone a mount that has locked
 * mounts below it, so `/` itself cannot be a layer (docs/architecture.md).
 */
import type { Source, Step } from './plan.ts'

/** A folder of the host's root, as the plan needs it. */
export interface SystemFolder {
  readonly source: Source
  /** Other file systems are mounted below it: no overlay can be made of it. */
  readonly hasMounts: boolean
}

export interface HostImageFacts {
  readonly folders: readonly SystemFolder[]
  /** Links of the root, e.g. `/bin` to `usr/bin`. */
  readonly links: readonly { readonly at: string; readonly to: string }[]
}

/** Folders and links of the root that make up the image, where the host has them. */
export const HOST_FOLDERS = ['/usr', '/opt', '/etc', '/nix', '/gnu'] as const
export const HOST_MERGED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'] as const

/**
 * Folders that programs installed in the box are put in. The host's own belong to the host's root, who has no
 * id in the box; the box gets its own of the same name above, and the two merge.
 */
export const OPEN_FOLDERS = [
  'usr/bin',
  'usr/sbin',
  'usr/include',
  'usr/lib',
  'usr/lib/python3',
  'usr/lib/python3/dist-packages',
  'usr/lib/node_modules',
  'usr/share',
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
  'etc/ssl/certs',
] as const

/** The tree of the image, without what every box has, and notes on what is less than usual. */
export function hostImage(facts: HostImageFacts): { steps: Step[]; notes: string[] } {
  const notes: string[] = []
  const steps: Step[] = facts.folders.map(({ source, hasMounts }): Step => {
    if (!hasMounts) return { do: 'overlay', at: source.path, lower: [source], upper: source.path.slice(1) }
    notes.push(`${source.path} is read-only in the box: the host has other file systems mounted in it`)
    return { do: 'bind', at: source.path, source, readonly: true, recursive: true }
  })
  for (const { at, to } of facts.links) steps.push({ do: 'link', at, to })
  for (const at of ['/home', '/mnt', '/srv', '/var', '/var/cache', '/var/lib', '/var/log', '/root'])
    steps.push({ do: 'folder', at, mode: 0o755 })
  steps.push({ do: 'folder', at: '/var/tmp', mode: 0o1777 })
  steps.push({ do: 'link', at: '/var/run', to: '../run' })
  return { steps, notes }
}
