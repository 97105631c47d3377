/**
 * The daemon. First the zygote, then everything else: what is loaded before the fork is in every box's init.
 * Starting, starting after a crash and starting after an upgrade are this one path.
 */
import { SOCK_SEQPACKET, SOCK_STREAM } from '../../ffi/abi/constants.ts'
import { socketPair } from '../../ffi/descriptors.ts'
import { startZygote } from '../../ffi/native.ts'

export async function daemon(): Promise<void> {
  process.umask(0o077)
  const [connection, theirConnection] = socketPair(SOCK_STREAM)
  const [channel, theirChannel] = socketPair(SOCK_SEQPACKET)
  startZygote(theirConnection, theirChannel)
  const { serve } = await import('./server.ts')
  await serve(connection, channel)
}
