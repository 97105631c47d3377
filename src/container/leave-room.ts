/** Lowers the zygote's limits before it makes boxes, so that a part of the user's limits is left to the user. */
import { readFileSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { RLIM_INFINITY, rlimit64 } from '../../ffi/abi/structs.ts'
import type { Batch } from '../../ffi/batch.ts'
import { loweredLimits } from '../sandbox/shared-counts.ts'

const RESOURCES: Readonly<Record<string, number>> = {
  'Max pending signals': k.RLIMIT_SIGPENDING,
  'Max locked memory': k.RLIMIT_MEMLOCK,
  'Max msgqueue size': k.RLIMIT_MSGQUEUE,
  'Max processes': k.RLIMIT_NPROC,
}

/** For the zygote, which has the same limits as this process. */
export function leaveRoom(batch: Batch): Batch {
  for (const { name, soft, hard } of loweredLimits(readFileSync('/proc/self/limits', 'utf8'))) {
    const resource = RESOURCES[name]
    if (resource === undefined) throw new Error(`no number for ${name}`)
    batch.call('prlimit64', [0, resource, rlimit64(soft, hard ?? RLIM_INFINITY), 0], { what: name })
  }
  return batch
}
