/**
 * Files that coop itself gives a box: some in its /etc, and the git identity in its home. Init makes them as root of
 * the box, before anything of the box runs, in the folders of the box's own files.
 *
 * They are not made through the new root: there, a file of the image cannot be told from one of the box, and only the
 * box's is kept. The daemon does not make them either: after the first start the box may have left links to the host.
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import type { Ref } from '../../ffi/batch.ts'
import { SUDOERS } from '../sandbox/identity.ts'
import type { Plan } from '../sandbox/plan.ts'
import type { MountBatch } from './mount-batch.ts'

export interface OwnFiles {
  /** Below the box's `upper/`: first the overlay's name, then folders in it. */
  readonly folder: string
  /** File contents by name. */
  readonly files: Readonly<Record<string, string>>
  /** Targets of links by name. */
  readonly links?: Readonly<Record<string, string>> | undefined
}

/** The content of a file: /etc/localtime is no text, and has one character for each byte. */
export function fileBytes(name: string, content: string): Buffer {
  return Buffer.from(content, name === 'localtime' ? 'latin1' : 'utf8')
}

/** Coop's own files for a plan; `homeFiles` maps paths below the home to contents. */
export function ownFiles(plan: Plan, homeFiles: Readonly<Record<string, string>>): readonly OwnFiles[] {
  const hasEtc = plan.steps.some((step) => step.do === 'overlay' && step.upper === 'etc')
  const home = `root${plan.user.home}`
  const byFolder = new Map<string, Record<string, string>>()
  for (const [path, text] of Object.entries(homeFiles)) {
    const folder = path.includes('/') ? `${home}/${path.slice(0, path.lastIndexOf('/'))}` : home
    byFolder.set(folder, { ...byFolder.get(folder), [path.slice(path.lastIndexOf('/') + 1)]: text })
  }
  const inHome = [...byFolder].map(([folder, files]) => ({ folder, files }))
  // The skeleton of the `host` image has it (sandbox/host-skeleton.ts).
  const sudoers = hasEtc ? [] : [{ folder: 'root/etc/sudoers.d', files: { coop: SUDOERS } }]
  const etc = { folder: hasEtc ? 'etc' : 'root/etc', files: plan.etc, links: plan.etcLinks }
  return [etc, ...sudoers, ...inHome]
}

const INSIDE = k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS
const TEMPORARY = '.new' // beside the overlays' folders, invisible to boxes
/** The box has a link or a file there, or has deleted the folder (overlayfs leaves a device). Leave that alone. */
const NO_FOLDER = ['ELOOP', 'ENOTDIR']
/** The file exists, or its folder does not exist in the box. */
const LEFT_ALONE = ['EEXIST', 'EBADF']

/** Keeps whatever a restarted box has under these names; follows no link. */
export function makeOwnFiles(setup: MountBatch, upper: string, wanted: readonly OwnFiles[]): void {
  const { batch } = setup
  const folder = k.O_PATH | abi.O_DIRECTORY
  const top = setup.open(k.AT_FDCWD, upper, folder, INSIDE, 'the files of the box')
  for (const { folder: path, files, links = {} } of wanted) {
    let dir: Ref = top
    for (const [depth, part] of path.split('/').filter(Boolean).entries()) {
      const what = `the folder ${part} of the box`
      if (depth > 0) batch.call('mkdirat', [dir, part, 0o755], { what, mayFail: LEFT_ALONE })
      dir = setup.open(dir, part, folder, INSIDE, what, depth > 0 && [...NO_FOLDER, 'EBADF'])
    }
    for (const [name, text] of Object.entries(files)) {
      const what = `${path.slice(path.indexOf('/') + 1)}/${name} of the box`
      const bytes = fileBytes(name, text)
      const flags = k.O_WRONLY | k.O_CREAT | k.O_TRUNC | abi.O_NOFOLLOW
      const file = setup.open(top, TEMPORARY, flags, INSIDE, what)
      batch.call('write', [file, bytes, bytes.length], { what })
      // ENXIO means that a full disk took only a part. A file gets its name when it is complete.
      if (bytes.length) batch.call('lseek', [file, bytes.length - 1, k.SEEK_DATA], { what })
      const to = [top, TEMPORARY, dir, name, k.RENAME_NOREPLACE]
      batch.call('renameat2', to, { what, mayFail: LEFT_ALONE })
    }
    for (const [name, target] of Object.entries(links))
      batch.call('symlinkat', [target, dir, name], {
        what: `the link ${name} of the box`,
        mayFail: LEFT_ALONE,
      })
  }
  batch.call('unlinkat', [top, TEMPORARY, 0], { mayFail: true })
}
