/** The folder of the updater in coop's data folder, and the lock that lets one update run at a time. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openLockFile, tryLock } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { diskError } from '../store/storage.ts'

export const releasesDir = (paths: Paths): string => join(paths.dataDir, 'releases')
export const seenFile = (paths: Paths): string => join(releasesDir(paths), 'seen')
/** The same as install.sh writes it. */
export const installerSeenFile = (paths: Paths): string => join(releasesDir(paths), 'installed')
/** The program that the last update or rollback replaced, with `record.json`. */
export const previousDir = (paths: Paths): string => join(releasesDir(paths), 'previous')
/** The same, before the other program has its name. */
export const nextPreviousDir = (paths: Paths): string => join(releasesDir(paths), 'previous.new')

/** Takes the lock, which ends with this process at the latest; undefined if another process has it. */
export function lockUpdates(paths: Paths): Disposable | undefined {
  let fd: number
  try {
    mkdirSync(releasesDir(paths), { recursive: true, mode: 0o700 })
    fd = openLockFile(join(releasesDir(paths), 'lock'))
  } catch (error) {
    throw diskError(error, `the folder ${releasesDir(paths)}`)
  }
  if (tryLock(fd)) return { [Symbol.dispose]: () => closeDescriptor(fd) }
  closeDescriptor(fd)
  return undefined
}

export const otherUpdate = (): CoopError =>
  new CoopError('E_RELEASE', 'another coop update runs at this moment', {
    hint: 'wait until it is done, then look: coop --version',
  })
