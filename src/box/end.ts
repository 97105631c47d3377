/** Ending a box: asking its processes, then making sure. */
import { Batch } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { hasEnded, signalPidfd } from '../../ffi/processes.ts'

const SIGHUP = 1
const SIGKILL = 9
const SIGTERM = 15
const GRACE_MS = 5_000 // what programs get to save their work
const ASK_POLL_MS = 10
const END_POLL_MS = 1 // the end of a whole pid namespace is told by its init's pidfd only

/** SIGTERM to everything, then wait until only init is left or the grace is over. Never throws. */
export async function askToEnd(channel: Channel): Promise<void> {
  const ask = new Batch()
  ask.call('kill', [-1, SIGTERM], { mayFail: true })
  // An interactive shell ignores SIGTERM; a hang-up it heeds.
  ask.call('kill', [-1, SIGHUP], { mayFail: true })
  try {
    await channel.run(ask)
    for (const deadline = Date.now() + GRACE_MS; Date.now() < deadline; await Bun.sleep(ASK_POLL_MS)) {
      const probe = new Batch()
      probe.call('kill', [-1, 0], { mayFail: true })
      const { results } = await channel.run(probe)
      if ((results[0] ?? -1) < 0) return // ESRCH: nobody is left
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
