/**
 * The process that pulls and unpacks, so that its memory and work do not burden the daemon. It forks the zygote before
 * it loads anything else, as in src/daemon/main.ts. It takes one request on stdin, writes lines of JSON to stdout, and
 * ends with its client.
 */
import { SOCK_SEQPACKET, SOCK_STREAM } from '../../ffi/abi/constants.ts'
import { socketPair } from '../../ffi/descriptors.ts'
import { startZygote } from '../../ffi/native.ts'

export async function imageWorker(): Promise<void> {
  process.umask(0o077)
  const [connection, theirConnection] = socketPair(SOCK_STREAM)
  const [channel, theirChannel] = socketPair(SOCK_SEQPACKET)
  startZygote(theirConnection, theirChannel)
  const { work } = await import('./work.ts')
  await work(connection, channel)
}
