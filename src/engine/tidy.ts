/** What is done to coop's data when a daemon starts. */
import { chmodSync, mkdirSync } from 'node:fs'
import { boxesDir, type Paths, seedingDir } from '../core/paths.ts'
import { clearHalfMadeSnapshots } from '../store/snapshots.ts'
import { clearHalfMade, discard } from '../store/storage.ts'
import { clearHalfMadeLayers } from '../worker/remove.ts'

/** What an earlier daemon has left half-made goes. */
export async function tidy(paths: Paths): Promise<void> {
  mkdirSync(boxesDir(paths), { recursive: true })
  // Nobody else may reach a box's files by their path: a setuid program of the box is one there, too.
  chmodSync(paths.dataDir, 0o700)
  clearHalfMade(paths)
  clearHalfMadeSnapshots(paths)
  discard(paths, seedingDir(paths))
  await clearHalfMadeLayers(paths, async (folder) => discard(paths, folder))
}
