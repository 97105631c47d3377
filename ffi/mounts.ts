/** Mounts that the daemon itself prepares. Only when root invokes coop, because idmapping needs root on the host. */
import * as k from './abi/constants.ts'
import { cstring, must, SysError, syscall } from './libc.ts'

export interface MountSource {
  readonly path: string
  readonly device: { readonly major: number; readonly minor: number }
  readonly inode: number
}

/**
 * A detached copy of a host mount (open_tree(2)); the caller owns the descriptor. Checks that it is the planned file or
 * folder. `userNamespace` (a descriptor) shifts its ids by that namespace's map (mount_setattr(2), MOUNT_ATTR_IDMAP).
 * Throws SysError; ESTALE: it was replaced.
 */
export function detachedMount(source: MountSource, recursive: boolean, userNamespace?: number): number {
  const how = new Uint8Array(
    new BigUint64Array([BigInt(k.O_PATH | k.O_CLOEXEC), 0n, BigInt(k.RESOLVE_NO_SYMLINKS)]).buffer,
  )
  const fd = must('openat2', source.path, k.AT_FDCWD, cstring(source.path), how, how.length)
  try {
    const stat = new Uint8Array(256)
    must('statx', source.path, fd, cstring(''), k.AT_EMPTY_PATH, k.STATX_INO, stat)
    const view = new DataView(stat.buffer)
    const same =
      view.getBigUint64(32, true) === BigInt(source.inode) &&
      view.getUint32(136, true) === source.device.major &&
      view.getUint32(140, true) === source.device.minor
    if (!same) throw new SysError('compare', -116 /* ESTALE */, source.path)
    const all = recursive ? k.AT_RECURSIVE : 0
    const clone = k.OPEN_TREE_CLONE | k.OPEN_TREE_CLOEXEC | k.AT_EMPTY_PATH | all
    const mount = must('open_tree', source.path, fd, cstring(''), clone)
    if (userNamespace !== undefined) {
      const attr = new BigUint64Array([BigInt(k.MOUNT_ATTR_IDMAP), 0n, 0n, BigInt(userNamespace)])
      const bytes = new Uint8Array(attr.buffer)
      const result = syscall('mount_setattr', mount, cstring(''), k.AT_EMPTY_PATH | all, bytes, 32)
      if (result < 0) {
        syscall('close', mount)
        throw new SysError('mount_setattr', result, `${source.path} (idmapped)`)
      }
    }
    return mount
  } finally {
    syscall('close', fd)
  }
}
