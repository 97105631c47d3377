/** `[sandbox] mounts` as mounts: which host folders, and how far a repository may go in asking for them. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { PROJECT_FILE } from '../config/load.ts'
import type { MountSpec } from '../config/mounts.ts'
import { withPlace } from '../config/place.ts'
import { CoopError } from '../core/errors.ts'
import { sourceOf } from '../host/facts.ts'
import { type ExtraMount, homeOf } from '../sandbox/compose.ts'
import { isWithin, mountRefusal, type SensitiveFacts } from '../sandbox/sensitive.ts'

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

/** Whether a repository asks for it, and not its user. */
function isOfProject(loaded: LoadedConfig, key: string, workspace: string): boolean {
  const origin = loaded.origins.get(key)
  return origin?.kind === 'file' && origin.file === join(workspace, PROJECT_FILE)
}

export interface ConfiguredMounts {
  readonly mounts: readonly ExtraMount[]
  readonly warnings: readonly string[]
}

/** The mounts, in order. `store` makes or finds a volume. Raises E_MOUNT. */
export function configuredMounts(
  loaded: LoadedConfig,
  workspace: string,
  facts: SensitiveFacts,
  store: (volume: string) => string,
): ConfiguredMounts {
  const { config } = loaded
  const home = homeOf(config)
  const inside = (target: string): string => (target.startsWith('~') ? home + target.slice(1) : target)
  const warnings: string[] = []
  const mountOf = (mount: MountSpec, index: number): ExtraMount => {
    const target = inside(mount.target)
    if (/^\/(?:proc|sys|dev)(?:\/|$)/.test(target) || target === '/')
      throw new CoopError('E_MOUNT', `nothing can be mounted at ${target} of a box`, {
        hint: 'choose another target',
      })
    if (mount.kind === 'volume') {
      const source = sourceOf(store(mount.volume), 'box')
      if (!source) throw new CoopError('E_MOUNT', `the volume ${mount.volume} is gone`)
      return { source, target, readonly: mount.readonly }
    }
    const source = sourceOf(resolve(workspace, expandHome(mount.source)), 'user')
    if (!source) {
      throw new CoopError('E_MOUNT', `${mount.source} cannot be mounted: it does not exist`, {
        hint: 'make it, or remove the line from [sandbox] mounts',
      })
    }
    const reason = mountRefusal(source.path, facts)
    if (reason) {
      throw new CoopError('E_MOUNT', `${mount.source} is not mounted into boxes: ${reason}`, {
        hint: 'mount a folder that holds only what the box needs',
      })
    }
    // Start-up files, programs and hooks of the host are among what a repository could name.
    const foreign = !isWithin(source.path, workspace)
    const readonly = foreign && isOfProject(loaded, `sandbox.mounts[${index}]`, workspace)
    if (readonly && !mount.readonly)
      warnings.push(
        `${mount.source} is read-only: a project's coop.toml can have nothing outside of it writable`,
      )
    return { source, target, readonly: readonly || mount.readonly }
  }
  const mounts = config.sandbox.mounts.map((mount, index) =>
    withPlace(loaded.origins, `sandbox.mounts[${index}]`, () => mountOf(mount, index)),
  )
  return { mounts, warnings }
}

/** The folder that `rootfs:DIR` names. Raises E_IMAGE. */
export function rootfsFolder(
  reference: string,
  workspace: string,
  facts: SensitiveFacts,
): ExtraMount['source'] {
  const path = resolve(workspace, expandHome(reference.slice('rootfs:'.length)))
  const source = sourceOf(path, 'user')
  if (source?.type !== 'folder') {
    throw new CoopError('E_IMAGE', `there is no root file system at ${path}`, {
      hint: `make one: mmdebstrap stable - | tar -x -C ${path}`,
    })
  }
  const reason = mountRefusal(source.path, facts)
  if (reason || isWithin(workspace, source.path)) {
    throw new CoopError('E_IMAGE', `${path} cannot be an image: ${reason ?? 'the workspace is in it'}`, {
      hint: 'name a folder that holds a root file system and nothing else',
    })
  }
  return source
}
