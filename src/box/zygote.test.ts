import { expect, test } from 'bun:test'
import { SIGCHLD, SOCK_SEQPACKET, SOCK_STREAM } from '../../ffi/abi/constants.ts'
import { Batch } from '../../ffi/batch.ts'
import { socketPair } from '../../ffi/descriptors.ts'
import { startZygote } from '../../ffi/native.ts'
import { adoptZygote } from './zygote.ts'

test('a zygote clones as many inits as are asked for, one after the other', async () => {
  const [connection, theirConnection] = socketPair(SOCK_STREAM)
  const [channel, theirChannel] = socketPair(SOCK_SEQPACKET)
  startZygote(theirConnection, theirChannel)
  const zygote = await adoptZygote(connection, channel)
  for (let at = 0; at < 1_100; at++) {
    const batch = new Batch()
    batch.fork(SIGCHLD)
    batch.call('exit_group', [0])
    const { results } = await zygote.run(batch)
    expect(results[0]).toBeGreaterThan(0)
  }
  zygote.close()
}, 60_000)
