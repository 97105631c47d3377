/** Tidies up coop's data when a daemon starts. */
import { chmodSync, mkdirSync } from 'node:fs'
import { boxesDir, type Paths, seedingDir } from '../core/paths.ts'
import { clearHalfMadeSnapshots } from '../store/snapshots.ts'
import { clearHalfMade, discard } from '../store/storage.ts'
import { clearHalfMadeLayers } from '../worker/remove.ts'
import { recoverRestores } from './restore.ts'

/** Removes everything that an earlier daemon left half made. */
export async function tidy(paths: Paths): Promise<void> {
  mkdirSync(boxesDir(paths), { recursive: true })
  // Other users must not reach a box's files by their path: a setuid program in a box is setuid on the host, too.
  chmodSync(paths.dataDir, 0o700)
  clearHalfMade(paths)
  clearHalfMadeSnapshots(paths)
  await recoverRestores(paths)
  discard(paths, seedingDir(paths))
  await clearHalfMadeLayers(paths, async (folder) => discard(paths, folder))
}
