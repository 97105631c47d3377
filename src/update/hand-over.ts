/** Replaces the daemon after the program was replaced. Boxes and the terminals of clients go on. */
import { meet, startAnd } from '../client/daemon.ts'
import type { Paths } from '../core/paths.ts'

/** Fewer than clients make: theirs still go on when the release before is back. */
const STARTS = 5

/**
 * Makes the running daemon leave, and starts the one of `program`, which is of release `version`. Attached clients do the
 * same when they lose theirs; whoever is first starts it. Returns the version of the daemon that runs then; undefined if
 * none ran: the next command starts one. Raises E_DAEMON if it does not start.
 */
export async function handOver(paths: Paths, program: string, version: string): Promise<string | undefined> {
  // One that does not answer, stopped by somebody, is no reason against the new program: the next command says so.
  const met = await meet(paths).catch(() => undefined)
  if (!met) return undefined
  if (met.daemon.version === version) {
    met.session.close()
    return version
  }
  await met.session.retire()
  return startAnd(paths, () => answering(paths), program, STARTS)
}

/** The version of the daemon that answers. */
async function answering(paths: Paths): Promise<string | undefined> {
  const met = await meet(paths)
  met?.session.close()
  return met?.daemon.version
}
