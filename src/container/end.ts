/** Ends a box: asks its processes first, then kills them. */
import { SIGHUP, SIGKILL, SIGTERM } from '../../ffi/abi/constants.ts'
import { Batch } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { hasEnded, signalPidfd } from '../../ffi/processes.ts'

export const GRACE_MS = 5_000 // time for programs to save their work
const HANG_UP_MS = 1_000 // interactive shells obey only SIGHUP; it kills other programs, which get time first
const ASK_POLL_MS = 10
const END_POLL_MS = 1 // only init's pidfd reports the end of the whole pid namespace

/** Send SIGTERM to everything, then wait until only init is left or the grace period is over. Never throws. */
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
      if ((await toAll(0)) < 0) return // ESRCH: only init is left
      if (hungUp || Date.now() - began < HANG_UP_MS) continue
      await toAll(SIGHUP)
      hungUp = true
    }
  } catch {
    // Init has already ended.
  }
}

/** Kill init and with it everything in its pid namespace; resolves when all of it has ended. */
export async function killAll(pidfd: number): Promise<void> {
  signalPidfd(pidfd, SIGKILL)
  while (!hasEnded(pidfd)) await Bun.sleep(END_POLL_MS)
}
