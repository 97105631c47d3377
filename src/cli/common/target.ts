/** Commands about an existing box: which one is meant. */
import { ask } from '../../client/ask.ts'
import { connect } from '../../client/daemon.ts'
import { currentFolder } from '../../client/exact-text.ts'
import type { Session } from '../../client/session.ts'
import { userPaths } from '../../client/user-paths.ts'
import type { BoxInfo } from '../../protocol/calls/boxes.ts'
import type { Target } from '../../protocol/shapes/values.ts'

/** The box of that name or workspace; undefined: that of this folder or of the nearest one above. */
export function targetOf(wanted: string | undefined): Target {
  return { cwd: currentFolder(), ...(wanted === undefined ? {} : { box: wanted }) }
}

/** The box that an argument means. Raises E_NO_BOX. */
export function findBox(wanted: string | undefined): Promise<BoxInfo> {
  return ask(userPaths(), 'box.find', targetOf(wanted))
}

/** The same with boxes that this release cannot read, for commands that look at one. */
export function findAnyBox(wanted: string | undefined): Promise<BoxInfo> {
  return ask(userPaths(), 'box.find', { ...targetOf(wanted), unknown: true })
}

/** The same, with the session for whatever is watched or typed next. */
export async function targetBox(
  wanted: string | undefined,
  unknown = false,
): Promise<{ session: Session; box: BoxInfo }> {
  const session = await connect(userPaths())
  const find = { ...targetOf(wanted), ...(unknown ? { unknown } : {}) }
  return { session, box: await session.call('box.find', find) }
}
