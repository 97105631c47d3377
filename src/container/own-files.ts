/**
 * The files that coop itself gives a box: its /etc has some of its own, its home the name that commits are made under.
 * Init makes them, as root of the box and before anything of the box runs, in the folders of the box's own files.
 *
 * Not through the new root: there a file of the image looks like one of the box, and only the latter is to stay. Nor by
 * the daemon: at every start but the first the box has written there before, and may have left links to the host.
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import type { Ref } from '../../ffi/batch.ts'
import type { Plan } from '../sandbox/plan.ts'
import type { MountBatch } from './mount-batch.ts'

export interface OwnFiles {
  /** Below the box's `upper/`: first the overlay, then the folders in it. */
  readonly folder: string
  /** Text by name. */
  readonly files: Readonly<Record<string, string>>
}

/** What coop makes of a plan; `homeFiles` by name. */
export function ownFiles(plan: Plan, homeFiles: Readonly<Record<string, string>>): readonly OwnFiles[] {
  const hasEtc = plan.steps.some((step) => step.do === 'overlay' && step.upper === 'etc')
  return [
    { folder: hasEtc ? 'etc' : 'root/etc', files: plan.etc },
    { folder: `root${plan.user.home}`, files: homeFiles },
  ]
}

const INSIDE = k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS
const TEMPORARY = '.new' // beside the overlays' folders, where no box sees it
/** The box has a link or a file there, or has deleted the folder (overlayfs leaves a device): its own affair. */
const NO_FOLDER = ['ELOOP', 'ENOTDIR']
/** There already, or in a folder that the box does not have. */
const LEFT_ALONE = ['EEXIST', 'EBADF']

/** A box that is started again keeps what it has under these names, whatever that is; nothing goes through a link. */
export function makeOwnFiles(setup: MountBatch, upper: string, wanted: readonly OwnFiles[]): void {
  const { batch } = setup
  const folder = k.O_PATH | abi.O_DIRECTORY
  const top = setup.open(k.AT_FDCWD, upper, folder, INSIDE, 'the files of the box')
  for (const { folder: path, files } of wanted) {
    let dir: Ref = top
    for (const [depth, part] of path.split('/').filter(Boolean).entries()) {
      const what = `the folder ${part} of the box`
      if (depth > 0) batch.call('mkdirat', [dir, part, 0o755], { what, mayFail: LEFT_ALONE })
      dir = setup.open(dir, part, folder, INSIDE, what, depth > 0 && [...NO_FOLDER, 'EBADF'])
    }
    for (const [name, text] of Object.entries(files)) {
      const what = `${path.slice(path.indexOf('/') + 1)}/${name} of the box`
      const bytes = Buffer.from(text)
      const flags = k.O_WRONLY | k.O_CREAT | k.O_TRUNC | abi.O_NOFOLLOW
      const file = setup.open(top, TEMPORARY, flags, INSIDE, what)
      batch.call('write', [file, bytes, bytes.length], { what })
      // ENXIO when a disk that got full took a part only. A file gets its name when it is whole.
      if (bytes.length) batch.call('lseek', [file, bytes.length - 1, k.SEEK_DATA], { what })
      const to = [top, TEMPORARY, dir, name, k.RENAME_NOREPLACE]
      batch.call('renameat2', to, { what, mayFail: LEFT_ALONE })
    }
  }
  batch.call('unlinkat', [top, TEMPORARY, 0], { mayFail: true })
}
