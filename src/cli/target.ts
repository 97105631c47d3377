/** Commands about an existing box: a daemon that runs, and the box that is meant. */
import { ask } from '../client/ask.ts'
import { connect } from '../client/daemon.ts'
import { currentFolder } from '../client/exact-text.ts'
import type { Session } from '../client/session.ts'
import { userPaths } from '../client/user-paths.ts'
import type { BoxInfo } from '../protocol/server-messages.ts'

/** The box that an argument means; left out, that of this folder or a parent of it. Raises E_NO_BOX. */
export function findBox(wanted: string | undefined): Promise<BoxInfo> {
  return find(wanted, false)
}

/** The same with boxes that this release cannot read, for commands that look at one or end it. */
export function findAnyBox(wanted: string | undefined): Promise<BoxInfo> {
  return find(wanted, true)
}

function find(wanted: string | undefined, unknown: boolean): Promise<BoxInfo> {
  return ask<BoxInfo>(userPaths(), {
    do: 'box.find',
    cwd: currentFolder(),
    ...(unknown ? { unknown } : {}),
    ...(wanted === undefined ? {} : { box: wanted }),
  })
}

/** The same, with a session for whatever is watched or typed next. */
export async function targetBox(
  wanted: string | undefined,
  unknown = false,
): Promise<{ session: Session; box: BoxInfo }> {
  const box = await find(wanted, unknown)
  return { session: await connect(userPaths()), box }
}
