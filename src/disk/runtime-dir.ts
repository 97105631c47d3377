/** The runtime folder: sockets, rings and locks. Whoever can write here controls every box. */

import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import { checkSocketPaths, type Paths } from '../core/paths.ts'

/** Make the folder, or check that it is ours alone: a real folder, our uid, mode 0700. Raises E_RUNTIME_DIR. */
export function ensureRuntimeDir(paths: Paths): void {
  checkSocketPaths(paths)
  const path = paths.runtimeDir
  const hint = 'set COOP_RUNTIME_DIR to a folder of yours on a local file system'
  try {
    mkdirSync(dirname(path), { recursive: true })
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const code = errnoOf(error)
    if (code !== 'EEXIST') {
      throw new CoopError('E_RUNTIME_DIR', `the runtime folder ${path} cannot be made (${code})`, {
        hint,
        cause: error,
      })
    }
  }
  const stat = lstatSync(path)
  if (!stat.isDirectory()) {
    throw new CoopError('E_RUNTIME_DIR', `the runtime folder ${path} is a link or a file, not a folder`, {
      hint,
    })
  }
  if (stat.uid !== process.getuid?.()) {
    throw new CoopError('E_RUNTIME_DIR', `the runtime folder ${path} belongs to another user`, { hint })
  }
  if (isReadOnly(path)) {
    throw new CoopError('E_RUNTIME_DIR', `the runtime folder ${path} is on a read-only file system`, { hint })
  }
}

// Also closes a folder that was open to other users.
function isReadOnly(path: string): boolean {
  try {
    chmodSync(path, 0o700)
    return false
  } catch (error) {
    return errnoOf(error) === 'EROFS'
  }
}
