/**
 * The process that pulls and unpacks: neither its memory nor its work is the daemon's. First the zygote, then
 * everything else, as in src/daemon/main.ts. One request on stdin, lines of JSON on stdout; it ends with its client.
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
