/** The daemon's end of its zygote, which clones the inits of boxes (ffi/native.c). */
import { Batch } from '../../ffi/batch.ts'
import { Channel } from '../../ffi/channel.ts'

/**
 * Over two connected sockets, owned from now on. An init's end is known by other ways (its pidfd, its connection), so
 * the zygote may forget it at once: it remembers 1024 children and then clones no more.
 */
export async function adoptZygote(
  connection: number,
  channel: number,
  gone: () => void = () => {},
): Promise<Channel> {
  const forget = (pid: number): void => {
    const batch = new Batch()
    batch.forget(pid)
    void zygote.run(batch).catch(() => {}) // it is gone, and its memory with it
  }
  const zygote = await Channel.adopt(connection, channel, { exit: forget, close: gone })
  return zygote
}
