/** Places of the host that boxes write. Nothing in them may decide what the host runs. */
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import type { Plan } from '../sandbox/plan.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import { envelopeOf } from '../store/envelope.ts'
import { findManifests, type Manifest } from '../store/manifest.ts'
import { readWritten } from '../store/written.ts'

/** Names that mark the top folder of a project, as npm and git look for it. */
const MARKS = ['coop.toml', '.git', 'package.json']

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // not made yet
  }
}

/** Returns the folders and files that a box of this plan may write. */
export const writableIn = (plan: Plan): readonly string[] => [
  plan.workspace.source.path,
  ...plan.steps.flatMap((step) => (step.do === 'bind' && !step.readonly ? [step.source.path] : [])),
]

/**
 * Returns the folders and files that these boxes have mounted writable. Links were resolved when the boxes were made.
 */
export function writableMounts(manifests: readonly Manifest[]): readonly string[] {
  return [...new Set(manifests.flatMap(({ plan }) => writableIn(plan)))]
}

/**
 * Returns the outermost project that a folder belongs to, or the folder itself. A project may have come from anybody,
 * and may have been a box's workspace before. Undefined for a folder that holds the whole home, which no box ever gets.
 */
export function projectOf(folder: string, home = homedir()): string | undefined {
  const [here, top] = [real(folder), real(home)]
  let found = here
  for (let at = here; !isWithin(top, at) && at !== '/'; at = dirname(at))
    if (MARKS.some((mark) => existsSync(join(at, mark)))) found = at
  return isWithin(top, found) ? undefined : found
}

/** Returns the writable mounts of every box of this user, past boxes included, for a process that is not the daemon. */
export function writableOnDisk(paths: Paths): readonly string[] {
  const now = findManifests(paths).flatMap(({ name, manifest, text }) =>
    manifest.is === 'readable' ? writableMounts([manifest.value]) : (envelopeOf(text, name).workspace ?? []),
  )
  return [...new Set([...now, ...readWritten(paths)])]
}

/** Returns all places that boxes write: these mounts, coop's own data, and the project that holds `folder`. */
export function placesOf(paths: Paths, folder: string, mounts: readonly string[]): readonly string[] {
  const project = projectOf(folder)
  return [...mounts, real(paths.dataDir), ...(project === undefined ? [] : [project])]
}

/** Does the same as `placesOf`, for a process that is not the daemon. */
export function writablePlaces(paths: Paths, folder: string): readonly string[] {
  return placesOf(paths, folder, writableOnDisk(paths))
}
