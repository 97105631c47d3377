/** Places of the host that boxes write in: nothing that is there may decide what the host runs. */
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import type { Plan } from '../sandbox/plan.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import { envelopeOf } from '../store/envelope.ts'
import { findManifests, type Manifest } from '../store/manifest.ts'
import { readWritten } from '../store/written.ts'

/** What shows the top of a project, as npm and git look for it. */
const MARKS = ['coop.toml', '.git', 'package.json']

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // not made yet
  }
}

/** Folders and files that a box of this plan may write. */
export const writableIn = (plan: Plan): readonly string[] => [
  plan.workspace.source.path,
  ...plan.steps.flatMap((step) => (step.do === 'bind' && !step.readonly ? [step.source.path] : [])),
]

/** Folders and files that these boxes have mounted writable, links resolved when they were made. */
export function writableMounts(manifests: readonly Manifest[]): readonly string[] {
  return [...new Set(manifests.flatMap(({ plan }) => writableIn(plan)))]
}

/**
 * The outermost project that a folder belongs to, or the folder: it may have come from anybody, and been a box's
 * workspace before. Undefined for a folder that holds the whole home, which no box ever gets.
 */
export function projectOf(folder: string, home = homedir()): string | undefined {
  const [here, top] = [real(folder), real(home)]
  let found = here
  for (let at = here; !isWithin(top, at) && at !== '/'; at = dirname(at))
    if (MARKS.some((mark) => existsSync(join(at, mark)))) found = at
  return isWithin(top, found) ? undefined : found
}

/** The mounts of every box of this user, also of those that are gone, for a process that is not their daemon. */
export function writableOnDisk(paths: Paths): readonly string[] {
  const now = findManifests(paths).flatMap(({ name, manifest, text }) =>
    manifest.is === 'readable' ? writableMounts([manifest.value]) : (envelopeOf(text, name).workspace ?? []),
  )
  return [...new Set([...now, ...readWritten(paths)])]
}

/** All places that boxes write: these mounts, coop's own data, and the project that `folder` is in. */
export function placesOf(paths: Paths, folder: string, mounts: readonly string[]): readonly string[] {
  const project = projectOf(folder)
  return [...mounts, real(paths.dataDir), ...(project === undefined ? [] : [project])]
}

/** The same for a process that is not the daemon. */
export function writablePlaces(paths: Paths, folder: string): readonly string[] {
  return placesOf(paths, folder, writableOnDisk(paths))
}
