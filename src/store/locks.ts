/** One daemon for each runtime folder, and one for each data folder. */
import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { tryLock } from '../../ffi/files.ts'
import { CoopError } from '../core/errors.ts'
import { daemonLock, type Paths, stateLock } from '../core/paths.ts'
import { readable, readStored, stamp } from './kind.ts'
import { hasLivingBoxes, namedRuntimeDir, stateLockFile } from './state-lock.ts'

const MAX_TEXT = 8192 // bytes: a path, which JSON may escape completely, and the text around it

/** Take the lock of the runtime folder; false if another daemon has it. Held until the process ends. */
export function lockRuntime(paths: Paths): boolean {
  return tryLock(openSync(daemonLock(paths), 'w', 0o600))
}

/**
 * Take the lock of the data folder. Raises E_DAEMON if its boxes are those of another runtime folder, and would look
 * dead to this daemon. Clients avoid that (client/other-login.ts), unless the user has named a runtime folder.
 */
export function lockState(paths: Paths): boolean {
  mkdirSync(paths.dataDir, { recursive: true, mode: 0o700 })
  const fd = openSync(stateLock(paths), 'a+', 0o600)
  if (tryLock(fd)) {
    const before = namedRuntimeDir(paths)
    if (before !== undefined && before !== paths.runtimeDir && hasLivingBoxes(paths, before))
      throw elsewhere(paths, before)
    ftruncateSync(fd)
    writeSync(fd, stamp(stateLockFile, { runtimeDir: paths.runtimeDir }))
    return true
  }
  const text = Buffer.alloc(MAX_TEXT)
  const lock = readStored(stateLockFile, text.subarray(0, readSync(fd, text, 0, MAX_TEXT, 0)))
  closeSync(fd)
  const other = readable(lock)?.runtimeDir
  if (other === paths.runtimeDir) return false
  throw elsewhere(paths, other)
}

function elsewhere({ dataDir }: Paths, runtimeDir: string | undefined): CoopError {
  return new CoopError('E_DAEMON', `the boxes in ${dataDir} belong to a coop daemon of another login`, {
    hint:
      runtimeDir === undefined
        ? 'run coop system shutdown in that login'
        : `set COOP_RUNTIME_DIR=${runtimeDir} to use it`,
  })
}
