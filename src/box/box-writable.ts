/** Where boxes write: a name there may be theirs, and so may be what it leads to. */

import type { Paths } from '../core/paths.ts'
import { findManifests, type Manifest } from '../store/manifest.ts'

/** Folders and files of the host that these boxes have writable, running or stopped; without links. */
export function writableOf(manifests: readonly Manifest[]): string[] {
  const sources = manifests.flatMap(({ plan }) => [
    plan.workspace.source.path,
    ...plan.steps.flatMap((step) => (step.do === 'bind' && !step.readonly ? [step.source.path] : [])),
  ])
  return [...new Set(sources)]
}

/** Of every box of this user, for a process that is not their daemon. */
export function writableOnDisk(paths: Paths): string[] {
  return writableOf(findManifests(paths).flatMap(({ manifest }) => manifest ?? []))
}
