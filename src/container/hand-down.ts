/** Gives a process in a box what its caller hands down (sandbox/caller.ts): part of the batch that starts the process. */
import * as k from '../../ffi/abi/constants.ts'
import { RLIM_INFINITY, rlimit64 } from '../../ffi/abi/structs.ts'
import type { Batch } from '../../ffi/batch.ts'
import { callerOf, RESOURCES } from '../host/callers.ts'
import { type Caller, limitsToSet, UNLIMITED } from '../sandbox/caller.ts'
import { withSharedLowered } from './leave-room.ts'

const USUAL_UMASK = 0o022
const MAY_FAIL = { mayFail: true } // the init of an older daemon may have less to give

let neutral: Caller | undefined

/** What an init hands down by itself. It has this from the zygote, which has it from this process. */
function base(): Caller | undefined {
  neutral ??= withSharedLowered(callerOf(process.pid))
  return neutral
}

const asLimit = (limit: number): number | bigint => (limit >= UNLIMITED ? RLIM_INFINITY : limit)

/** Makes calls only for values that differ from init's: usually there is none but the umask. */
export function handDown(batch: Batch, caller: Caller | undefined): void {
  batch.call('umask', [caller?.umask ?? USUAL_UMASK])
  const usual = base()
  if (!caller || !usual) return
  for (const [name, [soft, hard]] of limitsToSet(caller, usual))
    batch.call('prlimit64', [0, RESOURCES[name], rlimit64(asLimit(soft), asLimit(hard)), 0], MAY_FAIL)
  if (caller.processors !== usual.processors) {
    const mask = Buffer.from(caller.processors, 'hex')
    const padded = new Uint8Array(Math.ceil(mask.length / 8) * 8) // the kernel reads whole words
    padded.set(mask)
    batch.call('sched_setaffinity', [0, padded.length, padded], MAY_FAIL)
  }
  // A lower nice value than init's, as root may have, stays outside.
  if (caller.nice > usual.nice) batch.call('setpriority', [0, 0, caller.nice], MAY_FAIL)
  const isRealTime = caller.io >> k.IOPRIO_CLASS_SHIFT === k.IOPRIO_CLASS_RT
  if (caller.io !== usual.io && !isRealTime)
    batch.call('ioprio_set', [k.IOPRIO_WHO_PROCESS, 0, caller.io], MAY_FAIL)
  const isSlower = caller.policy === k.SCHED_BATCH || caller.policy === k.SCHED_IDLE
  if (isSlower) batch.call('sched_setscheduler', [0, caller.policy, new Uint8Array(4)], MAY_FAIL) // struct sched_param
}
