/**
 * Decides whether a box may get what its project asks for: before anything is made, and for every way of starting a
 * box.
 */
import { existsSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type LoadedConfig, PROJECT_FILE } from '../config/load.ts'
import type { Paths } from '../core/paths.ts'
import { socketsText } from '../host/sockets-in.ts'
import { homeOf } from '../sandbox/compose.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import { type Ask, openAsks, trustError } from '../trust/ask.ts'
import { type About, type MountedAt, projectAsks } from '../trust/project-asks.ts'
import { expandHome } from './configured-mounts.ts'
import { imageReference } from './image-layers.ts'
import { readTrust } from './trust-file.ts'

/**
 * Host paths that a plan was made with. Consent is asked for these, even when their names lead elsewhere a moment
 * later.
 */
export interface Named {
  readonly mount?: About['mount']
  /** The folder of a `rootfs:` image. */
  readonly rootfs?: string | undefined
}

/** Returns what the coop.toml of a workspace asks for; without `mount`, everything except mounts of host folders. */
export function configurationAsks(
  loaded: LoadedConfig,
  workspace: string,
  { mount = () => undefined, rootfs }: Named = {},
): readonly Ask[] {
  const { image } = loaded.config.sandbox
  const facts = factsOf(loaded, workspace)
  return projectAsks(loaded, join(workspace, PROJECT_FILE), {
    ...facts,
    mount,
    image: (reference) =>
      reference === image && rootfs !== undefined ? `rootfs:${rootfs}` : facts.image(reference),
  })
}

function factsOf(loaded: LoadedConfig, workspace: string): Omit<About, 'isMine' | 'mount'> {
  const image = (reference: string): string => wholeReference(reference, workspace)
  return { workspace, home: homeOf(loaded.config), image, describeMount: socketsText }
}

function wholeReference(reference: string, workspace: string): string {
  try {
    const whole = reference === 'host' ? reference : imageReference(reference, workspace)
    const [, kind = '', path = '', name = ''] =
      /^(rootfs:)(\/.*)$/s.exec(whole) ?? /^([a-z-]+:)(\/[^:]*)(.*)$/s.exec(whole) ?? []
    return path && existsSync(path) ? kind + realpathSync(path) + name : whole
  } catch {
    return reference // not a valid reference; a later error says so
  }
}

/** The asks that are not accepted, and a note to print before them. */
export interface Open {
  readonly open: readonly Ask[]
  readonly note: string
}

/**
 * Returns a function that picks the asks not accepted for a folder. It reads the file once, and only when there are
 * asks.
 */
export function judge(workspace: string, paths: Paths): (asks: readonly Ask[]) => Open {
  let read: { readonly keys: ReadonlySet<string>; readonly note: string } | undefined
  return (asks) => {
    if (!asks.length) return { open: [], note: '' }
    if (!read) {
      const { folders, note } = readTrust(paths)
      read = { keys: new Set((folders.get(workspace) ?? []).map(({ key }) => key)), note }
    }
    return { open: openAsks(asks, read.keys), note: read.note }
  }
}

/** Raises E_TRUST when something is not accepted. */
export function refuse({ open, note }: Open, workspace: string): void {
  if (open.length) throw trustError(workspace, open, note)
}

/**
 * Returns the configuration keys whose requests are not accepted. It resolves paths now, so the result is for showing
 * only.
 */
export function openConfiguration(
  loaded: LoadedConfig,
  workspace: string,
  paths: Paths,
): ReadonlySet<string> {
  const folder = realpathSync(workspace)
  const mount = (index: number): MountedAt | undefined => {
    const spec = loaded.config.sandbox.mounts[index]
    if (spec?.kind !== 'host') return undefined
    const path = resolve(folder, expandHome(spec.source))
    const source = existsSync(path) ? realpathSync(path) : path
    // The same rule as in configured-mounts.ts: nothing outside a project is writable for it.
    return { source, target: spec.target, readonly: spec.readonly || !isWithin(source, folder) }
  }
  // `join`, not the resolved path: the origins name the file as it was loaded, perhaps by a link.
  const asks = projectAsks(loaded, join(workspace, PROJECT_FILE), {
    ...factsOf(loaded, folder),
    mount,
  })
  return new Set(judge(folder, paths)(asks).open.flatMap(({ at }) => at ?? []))
}
