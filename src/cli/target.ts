/** Commands about an existing box: a daemon that runs, and the box that is meant. */
import { connect, userPaths } from '../client/daemon.ts'
import type { Session } from '../client/session.ts'
import { CoopError } from '../errors.ts'
import type { BoxInfo } from '../protocol/messages.ts'

/** A session with the running daemon, or with one that is started to look for boxes that outlived theirs. */
export async function sessionForBoxes(): Promise<Session> {
  return connect(userPaths())
}

/** The box that an argument means; left out, that of this folder or a parent of it. Raises E_NO_BOX. */
export async function targetBox(wanted: string | undefined): Promise<{ session: Session; box: BoxInfo }> {
  const session = await sessionForBoxes()
  const box = await session.call<BoxInfo>({
    do: 'box.find',
    cwd: currentFolder(),
    ...(wanted === undefined ? {} : { box: wanted }),
  })
  return { session, box }
}

function currentFolder(): string {
  try {
    return process.cwd()
  } catch {
    throw new CoopError('E_WORKSPACE', 'the current folder no longer exists', { hint: 'cd to one that does' })
  }
}
