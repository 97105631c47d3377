/** Whether boxes know the owners of the files of a `rootfs:`, and how to make a copy with owners that they know. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type IdPlan, isMapped } from '../sandbox/ids.ts'

/** The command for a copy with owners of this id plan. Device nodes cannot be copied, and a box has its own. */
export function ownersHint(path: string, { kind }: IdPlan): string {
  const unpack = kind === 'range' ? 'unshare --map-root-user --map-auto tar -xp' : 'tar -x'
  return `make a copy that is yours: mkdir COPY; sudo tar -C ${path} -c '--exclude=./dev/*' . | ${unpack} -C COPY`
}

/** A warning about wrong owners; undefined if they fit. If root invokes coop, the mount gets the box's ids. */
export function ownersWarning(path: string, ids: IdPlan): string | undefined {
  if (ids.kind === 'root') return undefined
  const isForeign = (name: string): boolean => {
    const stat = lstatSync(join(path, name), { throwIfNoEntry: false })
    return stat !== undefined && !(isMapped(ids.uids, stat.uid) && isMapped(ids.gids, stat.gid))
  }
  if (!['', 'usr', 'etc', 'tmp'].some(isForeign)) return undefined
  return `files of rootfs:${path} belong to users that the box does not have: it can read these files but change almost nothing, not even in /tmp; ${ownersHint(path, ids)}`
}
