/** One daemon for each runtime folder, and one for each data folder. */
import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { tryLock } from '../../ffi/files.ts'
import { CoopError } from '../core/errors.ts'
import { daemonLock, type Paths, stateLock } from '../core/paths.ts'
import { readable, readStored, stamp } from './kind.ts'
import { stateLockFile } from './state-lock.ts'

const MAX_TEXT = 8192 // bytes: a path, which JSON may escape completely, and the text around it

/** Take the lock of the runtime folder; false if another daemon has it. Held until the process ends. */
export function lockRuntime(paths: Paths): boolean {
  return tryLock(openSync(daemonLock(paths), 'w', 0o600))
}

/**
 * Take the lock of the data folder. Raises E_DAEMON if the daemon of another runtime folder serves its boxes, which
 * would look dead to this one. A login without XDG_RUNTIME_DIR, such as cron or su, has another runtime folder.
 */
export function lockState(paths: Paths): boolean {
  mkdirSync(paths.dataDir, { recursive: true, mode: 0o700 })
  const fd = openSync(stateLock(paths), 'a+', 0o600)
  if (tryLock(fd)) {
    ftruncateSync(fd)
    writeSync(fd, stamp(stateLockFile, { runtimeDir: paths.runtimeDir }))
    return true
  }
  const text = Buffer.alloc(MAX_TEXT)
  const lock = readStored(stateLockFile, text.subarray(0, readSync(fd, text, 0, MAX_TEXT, 0)))
  closeSync(fd)
  const other = readable(lock)?.runtimeDir
  if (other === paths.runtimeDir) return false
  throw new CoopError('E_DAEMON', `the boxes in ${paths.dataDir} belong to a coop daemon of another login`, {
    hint:
      other === undefined
        ? 'run coop system shutdown in that login'
        : `set COOP_RUNTIME_DIR=${other} to use it`,
  })
}
