/** Refuses clients whose data folder differs from this daemon's: they found it by the runtime folder alone. */
import { realpathSync } from 'node:fs'
import { CoopError } from '../core/errors.ts'

function isSameFolder(one: string, other: string): boolean {
  if (one === other) return true
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return false // one of them does not exist yet
  }
}

/** Returns the error for a client with another data folder; a client of an older release does not name its own. */
export function elsewhere(ours: string, theirs: string | undefined): CoopError | undefined {
  if (theirs === undefined || isSameFolder(ours, theirs)) return undefined
  return new CoopError('E_DAEMON', `the coop daemon that runs keeps its boxes in ${ours}, not in ${theirs}`, {
    hint: 'unset COOP_DATA_DIR, or set COOP_RUNTIME_DIR, too, to have another daemon',
  })
}
