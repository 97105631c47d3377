/** Ends every box, those of `coop run` too. */
import type { Session } from '../../client/session.ts'
import { CoopError } from '../../core/errors.ts'

/** Returns how many boxes there were, when all of them are gone. */
export async function killAll(session: Session, force: boolean): Promise<number> {
  const boxes = await session.call('box.list', { all: true })
  const kill = async (name: string): Promise<void> => {
    try {
      await session.call('box.kill', { box: name, cwd: '/', force })
    } catch (error) {
      // The command of a box of `coop run` may end first, and its box with it.
      if (!(error instanceof CoopError) || error.code !== 'E_NO_BOX') throw error
    }
  }
  await Promise.all(boxes.map(({ name }) => kill(name)))
  return boxes.length
}
