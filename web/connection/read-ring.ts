/** Reads the output of a terminal that the daemon keeps. */
import type { ChannelUser, Connection } from './connection.ts'
import { ConnectionLost } from './connection.ts'
import { join } from './pieces.ts'

/** Returns what the ring has, at most up to the offset `end`. Rejects with the daemon's error or ConnectionLost. */
export async function readRing(
  connection: Connection,
  box: string,
  pty: number,
  end = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  const all = Promise.withResolvers<void>()
  all.promise.catch(() => {}) // `call` may reject first
  let last = Number.POSITIVE_INFINITY
  let reached = 0
  const look = (): void => {
    if (reached >= Math.min(last, end)) all.resolve()
  }
  const nothing = (): void => {}
  const user: ChannelUser = {
    output: (offset, bytes, shown) => {
      shown()
      reached = offset + bytes.length
      pieces.push(bytes.subarray(0, Math.max(0, bytes.length - Math.max(0, reached - end))))
      look()
    },
    lost: () => all.reject(new ConnectionLost()),
    ...{
      screen: nothing,
      picture: nothing,
      taken: nothing,
      notice: nothing,
      exit: nothing,
      connected: nothing,
    },
  }
  const channel = connection.takeChannel(user)
  try {
    const { from, offset } = await connection.call('logs', { box, cwd: '', pty, follow: false }, channel)
    last = offset
    reached = Math.max(reached, from)
    look()
    await all.promise
    return join(pieces)
  } finally {
    connection.closeChannel(channel)
  }
}
