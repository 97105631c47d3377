/** The files that an agent brings into a box: its installation and its persistent settings. */
import { createHash } from 'node:crypto'
import { readInside } from '../../ffi/small-file.ts'
import type { BoxFacts } from '../agents/adapter.ts'
import type { ChosenAgent } from '../agents/choose.ts'
import { hostFiles, withoutPlanted } from '../agents/host-files.ts'
import { planSeed } from '../agents/seed.ts'
import type { Config } from '../config/config.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { type HostFacts, sourceOf } from '../host/facts.ts'
import { sourceAt } from '../host/host-place.ts'
import { type ExtraMount, homeOf } from '../sandbox/compose.ts'
import type { Source } from '../sandbox/plan.ts'
import { persistentPath } from '../store/storage.ts'
import { placeInBox } from '../trust/places.ts'
import { futureFolder, type Missing, type Setting } from './missing.ts'

const MAX_SETTING = 8 << 20 // bytes; an agent's state file of a heavy user has some hundred kB

/** The agent's own installation, read-only. */
export function installationMounts(chosen: ChosenAgent): ExtraMount[] {
  return (chosen.found?.mounts ?? []).map(({ source: path, target }) => {
    const source = sourceAt(path, 'user')
    if (!source) throw new CoopError('E_AGENT', `the agent's folder ${path} is gone`)
    return { source, target, readonly: true }
  })
}

/** The key of the folders that are kept for a workspace (`persistentPath`). */
export const workspaceKey = ({ path }: Source): string =>
  createHash('sha256').update(path).digest('hex').slice(0, 16)

/** The folders of the box's home that outlive it: configured ones and the agent's. */
export function persistentMounts(input: {
  chosen: ChosenAgent
  config: Config
  workspace: Source
  paths: Paths
  host: HostFacts
  /** Places that boxes write: the user may have mounted the agent's settings in one. */
  writable: readonly string[]
}): { mounts: ExtraMount[]; folders: Map<string, string>; missing: Missing[] } {
  const { chosen, config, host } = input
  const home = homeOf(config)
  const missing: Missing[] = []
  const key = workspaceKey(input.workspace)
  const known = chosen.adapter?.folders ?? []
  const names = new Set([...config.session.persist, ...known.map((folder) => folder.path)])
  // A mount of the configuration at the same place is the user's own choice of what is kept there.
  for (const mount of config.sandbox.mounts) names.delete(placeInBox(mount.target, home).replace(/^~\//, ''))
  const folders = new Map<string, string>()
  const mounts = [...names].map((name): ExtraMount => {
    const rule = known.find((folder) => folder.path === name)?.seed
    const facts = { files: withoutPlanted(hostFiles, input.writable), hostHome: host.home, boxHome: home }
    const seed = rule && (() => planSeed(name, rule, facts))
    const path = persistentPath(input.paths, key, name)
    const source = sourceOf(path, 'box')
    if (source) folders.set(name, path)
    else missing.push({ make: 'folder', key, folder: name, seed })
    return { source: source ?? futureFolder(path), target: `${home}/${name}`, readonly: false }
  })
  return { mounts, folders, missing }
}

/**
 * Returns the answers to an agent's first-run questions, for its persistent folders. The box may have written to those.
 */
export function settings(
  chosen: ChosenAgent,
  folders: ReadonlyMap<string, string>,
  facts: BoxFacts,
): readonly Setting[] {
  const locate = (path: string): { folder: string; name: string } | undefined => {
    for (const [name, folder] of folders) {
      if (path.startsWith(`${name}/`)) return { folder, name: path.slice(name.length + 1) }
    }
    return undefined
  }
  // A box may leave something else in the place of a setting. That harms only its own settings: boxes still start.
  const read = (path: string): string | undefined => {
    const at = locate(path)
    try {
      const bytes = at && readInside(at.folder, at.name, MAX_SETTING + 1)
      return bytes && bytes.length <= MAX_SETTING ? Buffer.from(bytes).toString('utf8') : undefined
    } catch {
      return undefined
    }
  }
  const wanted = folders.size ? (chosen.adapter?.settle(read, facts) ?? []) : []
  return wanted.flatMap(({ path, text }): Setting[] => {
    const at = locate(path)
    return at ? [{ folder: at.folder, path: at.name, text }] : []
  })
}
