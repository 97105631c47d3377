/**
 * The programs behind processes of coop, for the moment when one release follows another. Loaded only then, because it
 * loads node:fs.
 */
import { readlinkSync, statSync } from 'node:fs'

const DELETED = / \(deleted\)$/ // what the kernel adds to the name of a file that has lost it (proc_pid_exe(5))

export interface Program {
  /** Where the process was started from. */
  readonly path: string
  /** Another file has that name now: an update or a rollback has put another release there. */
  readonly isReplaced: boolean
}

/** Returns the program of a process; undefined if that is not to be known, or the process is gone. */
export function programOf(pid: number | 'self'): Program | undefined {
  try {
    const link = `/proc/${pid}/exe`
    const running = statSync(link)
    const path = readlinkSync(link).replace(DELETED, '')
    const now = statSync(path, { throwIfNoEntry: false })
    return { path, isReplaced: now !== undefined && (now.ino !== running.ino || now.dev !== running.dev) }
  } catch {
    return undefined
  }
}

/**
 * Returns whether this process makes a daemon of another release leave. The newer release wins, so that two installations
 * do not take turns. But the program that is installed decides over a process that has lost its file: after a rollback
 * the older release replaces the newer daemon, and clients of the newer release leave the older daemon alone.
 */
export function isToReplace(
  isNewer: boolean,
  mine: Program | undefined,
  theirs: Program | undefined,
): boolean {
  if (mine?.isReplaced) return false
  return isNewer || (theirs?.isReplaced === true && theirs.path === mine?.path)
}
