/**
 * The daemon. The zygote is forked before anything else is loaded: every box's init would carry that memory. A first
 * start, a start after a crash and a start after an upgrade all take this one path.
 */
import { SOCK_SEQPACKET, SOCK_STREAM } from '../../ffi/abi/constants.ts'
import { socketPair } from '../../ffi/descriptors.ts'
import { startZygote } from '../../ffi/native.ts'
import { becomeNeutral } from './neutral.ts'

export async function daemon(): Promise<void> {
  process.umask(0o077)
  becomeNeutral()
  const [connection, theirConnection] = socketPair(SOCK_STREAM)
  const [channel, theirChannel] = socketPair(SOCK_SEQPACKET)
  startZygote(theirConnection, theirChannel)
  const { serve } = await import('./server.ts')
  await serve(connection, channel)
}
