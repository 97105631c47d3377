/** Ending a box: asking its processes, then making sure. */
import { SIGHUP, SIGKILL, SIGTERM } from '../../ffi/abi/constants.ts'
import { Batch } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { hasEnded, signalPidfd } from '../../ffi/processes.ts'

export const GRACE_MS = 5_000 // what programs get to save their work
const HANG_UP_MS = 1_000 // an interactive shell ignores SIGTERM and heeds a hang-up, which others do not survive
const ASK_POLL_MS = 10
const END_POLL_MS = 1 // the end of a whole pid namespace is told by its init's pidfd only

/** SIGTERM to everything, then wait until only init is left or the grace is over. Never throws. */
export async function askToEnd(channel: Channel): Promise<void> {
  const toAll = async (signal: number): Promise<number> => {
    const batch = new Batch()
    batch.call('kill', [-1, signal], { mayFail: true })
    return (await channel.run(batch)).results[0] ?? -1
  }
  try {
    await toAll(SIGTERM)
    const began = Date.now()
    for (let hungUp = false; Date.now() - began < GRACE_MS; await Bun.sleep(ASK_POLL_MS)) {
      if ((await toAll(0)) < 0) return // ESRCH: nobody is left
      if (hungUp || Date.now() - began < HANG_UP_MS) continue
      await toAll(SIGHUP)
      hungUp = true
    }
  } catch {
    // Init is gone already.
  }
}

/** Kill init, and with it everything in its pid namespace; resolves when all of it is gone. */
export async function killAll(pidfd: number): Promise<void> {
  signalPidfd(pidfd, SIGKILL)
  while (!hasEnded(pidfd)) await Bun.sleep(END_POLL_MS)
}
