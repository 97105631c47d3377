/**
 * Commands about images and volumes look at the files of boxes themselves, without the daemon. For the caller of
 * `coop run` its box has ended, while the daemon may still be taking it down.
 */
import type { Paths } from '../core/paths.ts'
import { connectRunning } from './daemon.ts'

/** Waits until boxes that are being taken down are gone. Without a running daemon there are none. */
export async function afterEndedBoxes(paths: Paths): Promise<void> {
  try {
    const session = await connectRunning(paths)
    await session?.call('box.list', { all: true }) // the daemon answers when they are gone
    session?.close()
  } catch {
    // A daemon of another release, or one that does not answer: boxes that are still there count as users.
  }
}
