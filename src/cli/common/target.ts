/** Finds the existing box that a command acts on. */
import { ask } from '../../client/ask.ts'
import { connect } from '../../client/daemon.ts'
import { currentFolder, folderIfThere } from '../../client/exact-text.ts'
import type { Session } from '../../client/session.ts'
import { userPaths } from '../../client/user-paths.ts'
import type { BoxInfo } from '../../protocol/calls/boxes.ts'
import type { Target } from '../../protocol/shapes/values.ts'

/** Names the box of that name or workspace; undefined means this folder's, or that of the nearest folder above. */
export function targetOf(wanted: string | undefined): Target {
  return { cwd: folderFor(wanted), ...(wanted === undefined ? {} : { box: wanted }) }
}

const NAME_IT = 'name the box, as coop ls lists it; or cd into a folder that exists'

/** The folder from which a box is named. A deleted one matters only where the name depends on it. */
function folderFor(wanted: string | undefined): string {
  const isRelative = wanted === undefined || /^[^/]*\/|^\.{1,2}$/.test(wanted)
  return isRelative && !wanted?.startsWith('/') ? currentFolder(NAME_IT) : (folderIfThere() ?? '/')
}

/** Finds the box that an argument means. Raises E_NO_BOX. */
export function findBox(wanted: string | undefined): Promise<BoxInfo> {
  return ask(userPaths(), 'box.find', targetOf(wanted))
}

/** Does the same as `findBox`, and also finds boxes that this release cannot read. */
export function findAnyBox(wanted: string | undefined): Promise<BoxInfo> {
  return ask(userPaths(), 'box.find', { ...targetOf(wanted), unknown: true })
}

/** Does the same as `findBox`, and keeps the session for watching or typing next. */
export async function targetBox(
  wanted: string | undefined,
  unknown = false,
): Promise<{ session: Session; box: BoxInfo }> {
  const session = await connect(userPaths())
  const find = { ...targetOf(wanted), ...(unknown ? { unknown } : {}) }
  return { session, box: await session.call('box.find', find) }
}
