/** The folder of the updater in coop's data folder, and the lock that lets one update run at a time. */
import { lstatSync, mkdirSync } from 'node:fs'
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

/**
 * The folder says which program goes where (`previous/record.json`). Root that has kept a user's COOP_DATA_DIR or
 * XDG_DATA_HOME would obey that user: what the folder holds would replace any file of the system, and run as root.
 */
function checkOurs(folder: string): void {
  const { uid } = lstatSync(folder)
  if (uid === process.geteuid?.()) return
  throw new CoopError('E_RELEASE', `${folder} belongs to another user, who could decide what is installed`, {
    hint: 'run it as that user; as root, without COOP_DATA_DIR and XDG_DATA_HOME of a user',
  })
}

/** Takes the lock, which ends with this process at the latest; undefined if another process has it. */
export function lockUpdates(paths: Paths): Disposable | undefined {
  let fd: number
  try {
    mkdirSync(releasesDir(paths), { recursive: true, mode: 0o700 })
    checkOurs(releasesDir(paths))
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
