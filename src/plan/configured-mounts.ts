/** `[sandbox] mounts` as mounts: which host folders, and how far a repository may go in asking for them. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { PROJECT_FILE } from '../config/load.ts'
import type { HostMount, MountSpec } from '../config/mounts.ts'
import { withPlace } from '../config/place.ts'
import { CoopError } from '../core/errors.ts'
import { mountPoints } from '../host/facts.ts'
import { type HostPlace, placeOf, wayTo } from '../host/host-place.ts'
import { socketsText } from '../host/sockets-in.ts'
import { type ExtraMount, homeOf } from '../sandbox/compose.ts'
import type { Source } from '../sandbox/plan.ts'
import { closedPart } from '../sandbox/readable.ts'
import { isWithin, mountRefusal, type SensitiveFacts } from '../sandbox/sensitive.ts'

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

/** The facts that decide whether a mount is allowed. */
export interface MountFacts {
  /** With links resolved. */
  readonly workspace: string
  readonly sensitive: SensitiveFacts
  /** Places that boxes write, including the box of this workspace. */
  readonly writable: readonly string[]
  /** The invoking user is root, who could read everything. */
  readonly isRoot: boolean
}

/** Returns whether the repository asks for it, rather than its user. */
function isOfProject({ origins }: LoadedConfig, key: string, workspace: string): boolean {
  const origin = origins.get(key)
  return origin?.kind === 'file' && origin.file === join(workspace, PROJECT_FILE)
}

/**
 * Refuses folders that not everybody may read: when root invokes coop, they would be read with root's rights for a
 * repository. Raises `code`.
 */
function refuseClosed(path: string, { workspace }: MountFacts, code: 'E_MOUNT' | 'E_IMAGE'): void {
  const closed = closedPart(wayTo(path), workspace)
  if (closed === undefined) return
  throw new CoopError(
    code,
    `not every user of this machine may read ${path} (${closed}), and a project may not ask root for more`,
    { hint: 'put it into your own configuration if you want it: ~/.config/coop/default.toml' },
  )
}

export interface ConfiguredMounts {
  readonly mounts: readonly ExtraMount[]
  readonly warnings: readonly string[]
}

/** Returns the mounts, in order. `volume` returns the folder of a volume. Raises E_MOUNT. */
export function configuredMounts(
  loaded: LoadedConfig,
  facts: MountFacts,
  volume: (name: string) => Source,
): ConfiguredMounts {
  const { config } = loaded
  const { workspace } = facts
  const home = homeOf(config)
  const warnings: string[] = []
  const mountOf = (mount: MountSpec, index: number): ExtraMount => {
    const target = mount.target.startsWith('~') ? home + mount.target.slice(1) : mount.target
    if (mount.kind === 'volume') return { source: volume(mount.volume), target, readonly: mount.readonly }
    const from = resolve(workspace, expandHome(mount.source))
    const { source } = mountablePlace(mount, from, facts)
    // A repository could name start-up files, programs and hooks of the host.
    const foreign = !isWithin(source.path, workspace)
    const limited = foreign && isOfProject(loaded, `sandbox.mounts[${index}]`, workspace)
    if (limited && !mount.readonly)
      warnings.push(
        `${mount.source} is read-only: a project's coop.toml can make nothing outside the project writable`,
      )
    if (limited && facts.isRoot) {
      refuseClosed(source.path, facts, 'E_MOUNT')
      // 'system' keeps the ids unshifted, so that files closed to others stay closed at every depth.
      return { source: { ...source, owner: 'system' }, target, readonly: true, from }
    }
    return { source, target, readonly: limited || mount.readonly, from }
  }
  const mounts = config.sandbox.mounts.map((mount, index) =>
    withPlace(loaded.origins, `sandbox.mounts[${index}]`, () => mountOf(mount, index)),
  )
  for (const { source, readonly } of mounts) {
    if (readonly || source.owner !== 'user' || isWithin(source.path, workspace)) continue
    const sockets = socketsText(source.path)
    if (sockets)
      warnings.push(`${source.path} is writable in the box, and ${sockets}: the box can reach them`)
  }
  return { mounts: sealed(mounts, workspace), warnings }
}

function mountablePlace(mount: HostMount, from: string, { writable, sensitive }: MountFacts): HostPlace {
  const place = placeOf(from, writable, 'E_MOUNT')
  if (!place) {
    throw new CoopError('E_MOUNT', `${mount.source} cannot be mounted: it does not exist`, {
      hint: 'create it, or leave this mount out',
    })
  }
  const reason =
    mountRefusal(place.source.path, sensitive) ??
    (place.kind === 'other' ? 'it is a socket, a fifo or a device, where read-only means nothing' : undefined)
  if (!reason) return place
  throw new CoopError('E_MOUNT', `${mount.source} is not mounted into boxes: ${reason}`, {
    hint: 'mount a folder that holds only what the box needs',
  })
}

/**
 * Turns read-only folders into overlays, so that nobody in the box can reach a socket in them. Skips folders that the
 * box can write by another path anyway, and volumes, whose sockets belong to boxes. Raises E_MOUNT.
 */
function sealed(mounts: readonly ExtraMount[], workspace: string): ExtraMount[] {
  const open = [workspace, ...mounts.flatMap(({ source, readonly }) => (readonly ? [] : [source.path]))]
  const needsSeal = ({ source, readonly }: ExtraMount): boolean =>
    readonly &&
    source.type === 'folder' &&
    source.owner !== 'box' &&
    !open.some((folder) => isWithin(source.path, folder))
  if (!mounts.some(needsSeal)) return [...mounts]
  const points = mountPoints()
  return mounts.map((mount) => {
    if (!needsSeal(mount)) return mount
    const { path } = mount.source
    const below = points.find((point) => point !== path && isWithin(point, path))
    if (below === undefined) return { ...mount, sealed: true }
    throw new CoopError(
      'E_MOUNT',
      `${path} cannot be mounted read-only: another file system is mounted in it, at ${below}`,
      { hint: 'mount the folders in it that the box needs, each by itself' },
    )
  })
}

/** Returns the folder that `rootfs:DIR` names. Raises E_IMAGE. */
export function rootfsFolder(
  reference: string,
  loaded: LoadedConfig,
  facts: MountFacts,
): ExtraMount['source'] {
  const { workspace, writable, sensitive } = facts
  const path = resolve(workspace, expandHome(reference.slice('rootfs:'.length)))
  const place = placeOf(path, writable, 'E_IMAGE')
  if (place?.kind !== 'folder') {
    throw new CoopError('E_IMAGE', `there is no root file system at ${path}`, {
      hint: `create one: mmdebstrap stable - | tar -x -C ${path}`,
    })
  }
  const { source } = place
  const reason = mountRefusal(source.path, sensitive)
  if (reason || isWithin(workspace, source.path)) {
    throw new CoopError('E_IMAGE', `${path} cannot be an image: ${reason ?? 'the workspace is in it'}`, {
      hint: 'name a folder that holds a root file system and nothing else',
    })
  }
  refuseClosedImage(source.path, loaded, facts)
  return source
}

/** Refuses, when root invokes coop, an image that the project's owner could not read. Raises E_IMAGE. */
export function refuseClosedImage(path: string, loaded: LoadedConfig, facts: MountFacts): void {
  const { isRoot, workspace } = facts
  if (isRoot && !isWithin(path, workspace) && isOfProject(loaded, 'sandbox.image', workspace))
    refuseClosed(path, facts, 'E_IMAGE')
}
