/** The daemon's end of its zygote, which clones the inits of boxes (ffi/native.c). */
import { Batch } from '../../ffi/batch.ts'
import { Channel } from '../../ffi/channel.ts'

/**
 * Takes over two connected sockets. The end of an init is known in other ways (its pidfd, its connection), so the
 * zygote may forget it at once. It remembers at most 1024 children, and after that clones no more.
 */
export async function adoptZygote(
  connection: number,
  channel: number,
  gone: () => void = () => {},
): Promise<Channel> {
  const forget = (pid: number): void => {
    const batch = new Batch()
    batch.forget(pid)
    void zygote.run(batch).catch(() => {}) // a dead zygote has nothing to forget
  }
  const zygote = await Channel.adopt(connection, channel, { exit: forget, close: gone })
  return zygote
}
