/** Lowers the zygote's limits before it makes boxes, so that a part of the user's limits is left to the user. */
import { readFileSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { RLIM_INFINITY, rlimit64 } from '../../ffi/abi/structs.ts'
import type { Batch } from '../../ffi/batch.ts'
import type { Caller, LimitName } from '../sandbox/caller.ts'
import { loweredLimits } from '../sandbox/shared-counts.ts'

const RESOURCES: Readonly<Record<string, number>> = {
  'Max pending signals': k.RLIMIT_SIGPENDING,
  'Max locked memory': k.RLIMIT_MEMLOCK,
  'Max msgqueue size': k.RLIMIT_MSGQUEUE,
  'Max processes': k.RLIMIT_NPROC,
}

const lowered = () => loweredLimits(readFileSync('/proc/self/limits', 'utf8'))

/** Returns this process's values as the zygote hands them down. */
export function withSharedLowered(own: Caller | undefined): Caller | undefined {
  if (!own) return undefined
  const limits = { ...own.limits }
  for (const { name, soft } of lowered()) {
    const shared = name as LimitName
    limits[shared] = [soft, limits[shared][1]]
  }
  return { ...own, limits }
}

/** For the zygote, which has the same limits as this process. */
export function leaveRoom(batch: Batch): Batch {
  for (const { name, soft, hard } of lowered()) {
    const resource = RESOURCES[name]
    if (resource === undefined) throw new Error(`no number for ${name}`)
    batch.call('prlimit64', [0, resource, rlimit64(soft, hard ?? RLIM_INFINITY), 0], { what: name })
  }
  return batch
}
