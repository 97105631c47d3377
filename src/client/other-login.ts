/** Finds the daemon of this user's boxes in another runtime folder. Loaded only when none answers in the present one. */
import { SOCK_STREAM } from '../../ffi/abi/constants.ts'
import { connectUnix, peerCredentials } from '../../ffi/descriptors.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { daemonSocket, type Paths } from '../core/paths.ts'
import { hasLivingBoxes, namedRuntimeDir } from '../store/state-lock.ts'
import { defaultRuntimeDir, moveTo, userPaths } from './user-paths.ts'

/** Whether a daemon of ours listens. The lock is not tried: a daemon that is starting would take us for its rival. */
function answers(paths: Paths): boolean {
  try {
    const fd = connectUnix(daemonSocket(paths), SOCK_STREAM)
    const isOurs = peerCredentials(fd).uid === process.getuid?.()
    closeDescriptor(fd)
    return isOurs
  } catch (error) {
    if (error instanceof SysError) return false
    throw error
  }
}

/**
 * Moves this process to the runtime folder that it should use: the one of the environment, unless the daemon, or boxes
 * that outlived theirs, are in another. Returns whether that is a change. A folder that the user has named stays.
 */
export function settleRuntimeDir(paths: Paths): boolean {
  const ours = defaultRuntimeDir()
  if (ours === undefined || paths !== userPaths()) return false
  const named = namedRuntimeDir(paths)
  if (named === undefined || named === ours) return moveTo(ours)
  const isUsed = answers({ ...paths, runtimeDir: named }) || hasLivingBoxes(paths, named)
  return moveTo(isUsed ? named : ours)
}
