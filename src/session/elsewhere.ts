/** A client that was built or configured for another data folder: it found this daemon by the runtime folder alone. */
import { realpathSync } from 'node:fs'
import { CoopError } from '../core/errors.ts'

function isSameFolder(one: string, other: string): boolean {
  if (one === other) return true
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return false // not made yet
  }
}

/** What it is to be told when its data folder is not ours; one of an older release does not say which it has. */
export function elsewhere(ours: string, theirs: string | undefined): CoopError | undefined {
  if (theirs === undefined || isSameFolder(ours, theirs)) return undefined
  return new CoopError('E_DAEMON', `the coop daemon that runs keeps its boxes in ${ours}, not in ${theirs}`, {
    hint: 'unset COOP_DATA_DIR, or set COOP_RUNTIME_DIR, too, to have another daemon',
  })
}
