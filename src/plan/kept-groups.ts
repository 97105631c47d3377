/**
 * The supplementary groups of a box's processes. The kernel lets a box have all of its user's or none: their ids have
 * no name inside, so setgroups(2) there cannot pick some of them (user_namespaces(7)).
 *
 * A box with a range gives them up, unless its workspace or a mount is one that the user reaches as a member of a
 * group. With a single id nobody can give them up. A box of root's never has any.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { accessListOf, listedRights } from '../host/access-lists.ts'
import { type HostFacts, userNameOf } from '../host/facts.ts'
import { planIds } from '../sandbox/ids.ts'

export interface FolderOwner {
  readonly uid: number
  readonly gid: number
  readonly mode: number
  /** Its access list, as the kernel stores it (acl(5)); undefined if it has none, as most. */
  readonly accessList?: Uint8Array | undefined
}

interface Member {
  readonly uid: number
  readonly gid: number
  /** The supplementary groups, without `gid`. */
  readonly groups: readonly number[]
}

/**
 * Whether somebody loses rights in a folder with their supplementary groups. In a folder of the user's own its group
 * decides and never the mode, which a box can change: others of the group keep files there. `allowed` asks the kernel
 * for the access of `bits` (4 read, 2 write, 1 enter), which knows access lists.
 */
export function needsGroups(
  { uid, gid, mode, accessList }: FolderOwner,
  user: Member,
  allowed: (bits: number) => boolean,
): boolean {
  if (user.groups.length === 0) return false
  if (uid === user.uid) return user.groups.includes(gid)
  const listed = accessList && listedRights(accessList, gid, user)
  const without = listed ?? (gid === user.gid ? mode >> 3 : mode)
  return [4, 2, 1].some((bit) => (without & bit) === 0 && allowed(bit))
}

function memberOf({ ids, groups }: HostFacts): Member {
  return { uid: ids.uid, gid: ids.gid, groups }
}

function folderNeedsGroups(path: string, user: Member): boolean {
  const allowed = (bits: number): boolean => {
    try {
      accessSync(path, bits)
      return true
    } catch {
      return false
    }
  }
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return false
  const { uid, gid, mode } = stat
  // In a folder of the user's own, as nearly all are, the list decides nothing.
  const accessList = uid === user.uid ? undefined : accessListOf(path)
  return needsGroups({ uid, gid, mode, accessList }, user, allowed)
}

/** Names of the groups that a box with these folders keeps; numbers for those without a line in /etc/group. */
export function keptGroups(
  folders: readonly { readonly path: string }[],
  host: HostFacts,
): readonly string[] {
  if (host.groups.length === 0) return []
  const ids = planIds(host.ids).kind
  if (ids === 'root') return []
  const user = memberOf(host)
  if (ids === 'range' && !folders.some(({ path }) => folderNeedsGroups(path, user))) return []
  return host.groups.map(groupName)
}

function groupLines(): string[][] {
  try {
    return readFileSync('/etc/group', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}

function groupName(gid: number): string {
  return groupLines().find((fields) => fields[2] === String(gid))?.[0] || String(gid)
}

/**
 * The hint for a workspace that may not be written: its group, and why the daemon lacks it. The daemon has the groups
 * of the login that started it (setgroups(2) would need root).
 */
export function workspaceHint(path: string): string {
  const groups = process.getgroups?.() ?? []
  const username = userNameOf(userInfo().uid)
  const stat = statSync(path, { throwIfNoEntry: false })
  const groupMay = stat !== undefined && ((stat.mode >> 3) & constants.W_OK) !== 0
  if (!stat || stat.gid === 0 || !groupMay || groups.includes(stat.gid))
    return `check its owner: ls -ld ${path}`
  const name = groupName(stat.gid)
  const members = groupLines().find((fields) => fields[2] === String(stat.gid))?.[3] ?? ''
  return members.split(',').includes(username)
    ? `coop's daemon was started before you were in the group ${name}: run coop system shutdown in a login that has the group, then try again`
    : `its group ${name} may write there, and you are not in it: sudo usermod -aG ${name} ${username}, log in again, then run coop system shutdown`
}
