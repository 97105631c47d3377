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
  const clone = async (): Promise<number | undefined> => {
    const batch = new Batch()
    batch.fork(SIGCHLD)
    batch.call('exit_group', [0])
    return (await zygote.run(batch)).results[0]
  }
  for (let round = 0; round < 12; round++) {
    const pids = await Promise.all(Array.from({ length: 100 }, clone))
    expect(pids.every((pid) => pid !== undefined && pid > 0)).toBe(true)
  }
  zygote.close()
}, 60_000)
