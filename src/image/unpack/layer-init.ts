/** An init with the ids of boxes but without a box; it unpacks layers (compare src/trees/remover.ts). */
import * as k from '../../../ffi/abi/constants.ts'
import { Batch } from '../../../ffi/batch.ts'
import type { Channel } from '../../../ffi/channel.ts'
import { forgetProgram } from '../../../ffi/program.ts'
import { bear, writeIdMaps } from '../../container/clone.ts'
import type { HostFacts } from '../../host/facts.ts'
import { type IdPlan, planIds } from '../../sandbox/ids.ts'

export interface LayerInit extends Disposable {
  readonly channel: Channel
  readonly ids: IdPlan
}

/** It ends with this process, or when it is disposed of. */
export async function bearLayerInit(zygote: Channel, host: HostFacts): Promise<LayerInit> {
  const ids = planIds(host.ids)
  const { channel, init } = await bear({ network: 'host', zygote, events: {} })
  try {
    await writeIdMaps(init.pid, ids, host)
    const batch = new Batch()
    batch.call('prctl', [k.PR_SET_DUMPABLE, 0, 0, 0, 0])
    if (ids.kind !== 'single') batch.call('setgroups', [0, 0])
    batch.call('setresgid', [0, 0, 0])
    batch.call('setresuid', [0, 0, 0])
    batch.call('prctl', [k.PR_SET_DUMPABLE, 0, 0, 0, 0]) // the change of ids has reset it
    forgetProgram(batch)
    batch.call('umask', [0])
    await channel.run(batch)
  } catch (error) {
    channel.close()
    throw error
  }
  return { channel, ids, [Symbol.dispose]: () => channel.close() }
}

/** Let it work in this folder, a descriptor of ours: in boxes of root it could not open the path itself. */
export async function enterFolder(channel: Channel, folder: number): Promise<void> {
  const batch = new Batch()
  batch.call('fchdir', [batch.fd(folder)], { what: 'enter the folder of the layer' })
  await channel.run(batch)
}
