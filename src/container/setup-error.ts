/** Messages for a set-up that the kernel refused, with a hint for the user. */
import { BatchError } from '../../ffi/batch.ts'
import { SysError } from '../../ffi/libc.ts'
import { CoopError } from '../core/errors.ts'
import { mountsError } from '../host/kernel-limits.ts'
import { ownersHint } from '../host/rootfs-owners.ts'
import type { Plan } from '../sandbox/plan.ts'
import { SEALED } from './setup-batch.ts'

const FORBIDDEN = new Set(['EPERM', 'EACCES'])

/** The error for a failed set-up, either of init's batch or of the mounts that the daemon makes for root. */
export function setupError(error: unknown, plan: Plan): unknown {
  const sentence = `the box ${plan.name} could not be made: ${error instanceof Error ? error.message : error}`
  // The daemon's own mounts, for root: overlayfs, NFS, and tmpfs before Linux 6.3 cannot shift ids (FS_ALLOW_IDMAP).
  if (error instanceof SysError && error.syscall === 'mount_setattr' && error.code === 'EINVAL')
    return new CoopError(
      'E_MOUNT',
      `${sentence}; that file system cannot show its files with the ids of a box of root's`,
      {
        hint: 'use a folder on ext4, xfs or btrfs, or run coop as an ordinary user',
        cause: error,
      },
    )
  const known = mountsError(error, sentence)
  return known === error && error instanceof BatchError ? batchError(error, sentence, plan) : known
}

function batchError(error: BatchError, sentence: string, plan: Plan): CoopError {
  // ENXIO comes from lseek: only a part of the file was written (own-files.ts).
  if (['ENOSPC', 'EDQUOT'].includes(error.code) || (error.syscall === 'lseek' && error.code === 'ENXIO')) {
    return new CoopError('E_DISK_FULL', `no space is left for the box ${plan.name}: ${error.message}`, {
      hint: 'free space (coop system df, coop system clean), or set COOP_DATA_DIR to a folder on a larger disk',
      cause: error,
    })
  }
  if (error.what?.startsWith('mount target') && (error.code === 'ESTALE' || error.what.endsWith('place'))) {
    return new CoopError('E_MOUNT', sentence, {
      hint: 'use another image, or mount somewhere else: a link of the image or the box is in the way',
      cause: error,
    })
  }
  if (error.what?.startsWith(SEALED)) {
    return new CoopError('E_MOUNT', `${sentence}; overlayfs does not accept that file system as a layer`, {
      hint: 'copy the needed files into the project or a volume with coop cp',
      cause: error,
    })
  }
  if (error.code === 'ESTALE') {
    return new CoopError('E_MOUNT', sentence, {
      hint: 'try again: another program moved files at the same time',
      cause: error,
    })
  }
  if (error.what?.startsWith('mount target') && ['ELOOP', 'ENOTDIR', 'EEXIST'].includes(error.code)) {
    return new CoopError('E_MOUNT', `${sentence}; the image has a link or a file there`, {
      hint: 'use another image, or mount somewhere else',
      cause: error,
    })
  }
  if (error.code === 'ENOENT' && error.what?.endsWith(' of the image')) {
    return new CoopError(
      'E_MOUNT',
      `${sentence}; it is a link that leads nowhere, or the box may not write in the folder above it`,
      {
        hint: `${ownersHint(plan.root.lower[0]?.path ?? 'DIR', plan.ids)}; or set [workspace] path to a place such as /work`,
        cause: error,
      },
    )
  }
  if (
    FORBIDDEN.has(error.code) &&
    /^(?:mount|fsopen|fsmount|fsconfig|move_mount|open_tree|mount_setattr|pivot_root)$/.test(error.syscall)
  ) {
    return new CoopError('E_ISOLATION', sentence, {
      hint:
        'if a security module restricts user namespaces, run sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0; ' +
        'if coop runs in a container, allow nested mounts there (unmasked /proc)',
      cause: error,
    })
  }
  // overlayfs keeps no upper folder on NFS, FUSE or another overlay, as the root of a container is one.
  if (error.syscall === 'fsconfig' && error.code === 'EINVAL') {
    return new CoopError(
      'E_ISOLATION',
      `${sentence}; overlayfs does not accept the file system of coop's data`,
      {
        hint: 'set COOP_DATA_DIR to a folder on a local file system such as ext4, xfs, btrfs or tmpfs',
        cause: error,
      },
    )
  }
  if (error.syscall === 'openat2' && FORBIDDEN.has(error.code)) {
    return new CoopError('E_MOUNT', sentence, {
      hint: 'check that you may read it: namei -l PATH',
      cause: error,
    })
  }
  return new CoopError('E_FAILED', sentence, { hint: 'coop system logs -n 20', cause: error })
}
