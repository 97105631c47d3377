/** The owners of a layer's files on this machine, by the ids that boxes have here. Pure. */
import type { IdMapLine, IdPlan } from '../../sandbox/ids.ts'

export interface Owned {
  readonly uid: number
  readonly gid: number
  readonly mode: number
  /** Whether the owner differs from the one that the layer names. */
  readonly changed: boolean
}

const SETUID = 0o4000
const SETGID = 0o2000

function has(lines: readonly IdMapLine[], inside: number): boolean {
  return lines.some((line) => inside >= line.inside && inside < line.inside + line.count)
}

/** Files of an id that boxes lack become root's, and then lose marks that would lend root's rights. */
export function ownerOf(ids: IdPlan, wanted: { uid: number; gid: number; mode: number }): Owned {
  const uid = has(ids.uids, wanted.uid) ? wanted.uid : 0
  const gid = has(ids.gids, wanted.gid) ? wanted.gid : 0
  let { mode } = wanted
  if (uid !== wanted.uid) mode &= ~SETUID
  if (gid !== wanted.gid) mode &= ~SETGID
  return { uid, gid, mode, changed: uid !== wanted.uid || gid !== wanted.gid }
}

export type XattrFate = 'keep' | 'skip' | 'warn'

/**
 * `user.overlay.*` and `trusted.*` control overlayfs: with them a layer could show files that it does not have.
 * Labels of security modules belong to the machine that made the image.
 */
export function xattrFate(name: string): XattrFate {
  if (name.startsWith('user.overlay.')) return 'warn'
  if (name.startsWith('user.') || name === 'security.capability') return 'keep'
  return name === 'security.selinux' || name === 'security.ima' ? 'skip' : 'warn'
}
