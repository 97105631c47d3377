/** What a box keeps on disk: its own files, folders that outlive it, and taking them away again. */

import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchownSync,
  fstatSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as tree from '../../ffi/tree.ts'
import type { SeedFile } from '../agents/seed.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import {
  boxDir,
  boxesDir,
  imagesDir,
  type Paths,
  unseededFile,
  upperDir,
  volumesDir,
  workDir,
} from '../core/paths.ts'
import { finish, type Steps } from '../core/steps.ts'
import { removeTree, removingTree } from '../disk/remove-tree.ts'
import { sourceOf } from '../host/facts.ts'
import { isKernelLimit } from '../host/kernel-limits.ts'
import type { Skeleton } from '../sandbox/host-image.ts'
import { hostIdOfRoot, type IdPlan } from '../sandbox/ids.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { stamp } from './kind.ts'
import { volumeMark } from './volume-mark.ts'

/** Makes folders and files that belong to root of the box. */
class Owner {
  readonly #uid: number | undefined
  readonly #gid: number | undefined

  constructor(ids: IdPlan) {
    // For an ordinary user root of the box is the user: nothing to change.
    const shifted = ids.kind === 'root'
    this.#uid = shifted ? hostIdOfRoot(ids.uids) : undefined
    this.#gid = shifted ? hostIdOfRoot(ids.gids) : undefined
  }

  own(path: string): void {
    if (this.#uid !== undefined && this.#gid !== undefined) lchownSync(path, this.#uid, this.#gid)
  }

  ownOpen(fd: number): void {
    if (this.#uid !== undefined && this.#gid !== undefined) fchownSync(fd, this.#uid, this.#gid)
  }

  /** A folder; one that is there stays as it is. */
  folder(path: string, mode = 0o755): void {
    try {
      mkdirSync(path, { mode })
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return
      throw error
    }
    this.own(path)
  }

  /** The folder and those that lead to it below `base`. */
  folders(base: string, below: string, mode = 0o755): void {
    let at = base
    for (const part of below.split('/').filter(Boolean)) {
      at = join(at, part)
      this.folder(at, mode)
    }
  }

  /** A new file; one that is there stays as it is. */
  file(path: string, text: string, mode: number): void {
    let fd: number
    try {
      fd = openSync(path, 'wx', mode)
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return
      throw error
    }
    try {
      writeFileSync(fd, text) // all of it or an error: one write(2) to a disk that gets full takes a part
    } catch (error) {
      rmSync(path, { force: true }) // half of a file would be taken for one that is there
      throw error
    } finally {
      closeSync(fd)
    }
    this.own(path)
  }
}

/** Make files with the modes that are asked for; the daemon's own umask lets nobody else in. */
function withModes<T>(work: () => T): T {
  const before = process.umask(0)
  try {
    return work()
  } finally {
    process.umask(before)
  }
}

/** ENOSPC of a terminal, a mount or a namespace is none: no space that is freed helps. */
export function isDiskFull(error: unknown): boolean {
  const code = errnoOf(error)
  return (code === 'ENOSPC' || code === 'EDQUOT') && !isKernelLimit(error)
}

/** Name the disk when it is full: the one error of these that a person can do something about. */
export function diskError(error: unknown, where: string): unknown {
  const code = errnoOf(error)
  if (isDiskFull(error))
    return new CoopError('E_DISK_FULL', `no space is left for ${where}`, {
      hint: 'free some space (coop system df, coop system clean), or set COOP_DATA_DIR to a folder on a larger disk',
      cause: error,
    })
  if (code === 'EROFS' || code === 'EACCES')
    return new CoopError('E_FAILED', `${where} cannot be written (${code})`, {
      hint: 'set COOP_DATA_DIR to a folder of yours that can be written',
      cause: error,
    })
  return error
}

/**
 * The upper and work folders of a box, and in them one for each overlay: no box ever sees these names. All that is
 * deeper is the box's, and made by its init (own-files.ts).
 */
export function prepareStore(paths: Paths, plan: Plan): void {
  const owner = new Owner(plan.ids)
  const overlays = plan.steps.flatMap((step) => (step.do === 'overlay' ? [step.upper] : []))
  try {
    withModes(() => {
      for (const top of [upperDir(paths, plan.name), workDir(paths, plan.name)])
        for (const name of ['', 'root', ...overlays]) owner.folder(join(top, name))
    })
  } catch (error) {
    throw diskError(error, `the files of the box in ${upperDir(paths, plan.name)}`)
  }
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const SKELETON_VERSION = 1 // raised when hostSkeleton makes something else

function skeletonDir(paths: Paths, skeleton: Skeleton, ids: IdPlan): string {
  const text = JSON.stringify([SKELETON_VERSION, skeleton, ids.kind === 'root' ? hostIdOfRoot(ids.uids) : 0])
  return join(imagesDir(paths), `host-${Bun.hash(text).toString(16)}`)
}

/** The skeleton of the `host` image: its folders by name. Undefined when it is not there yet. */
export function findSkeleton(
  paths: Paths,
  skeleton: Skeleton,
  ids: IdPlan,
): ReadonlyMap<string, Source> | undefined {
  const path = skeletonDir(paths, skeleton, ids)
  if (!existsSync(path)) return undefined
  const sources = readdirSync(path).flatMap((top) => {
    const source = sourceOf(join(path, top), 'box')
    return source ? [[top, source] as const] : []
  })
  return new Map(sources)
}

/** Makes it when it is not there yet. */
export function ensureSkeleton(paths: Paths, skeleton: Skeleton, ids: IdPlan): void {
  const owner = new Owner(ids)
  const path = skeletonDir(paths, skeleton, ids)
  const name = basename(path)
  try {
    if (!existsSync(path)) {
      mkdirSync(imagesDir(paths), { recursive: true })
      const fresh = `.${name}.${process.pid}`
      rmSync(join(imagesDir(paths), fresh), { recursive: true, force: true })
      withModes(() => {
        owner.folders(imagesDir(paths), fresh)
        for (const folder of skeleton.folders)
          owner.folders(join(imagesDir(paths), fresh), folder.path, folder.mode)
        for (const link of skeleton.links) {
          symlinkSync(link.to, join(imagesDir(paths), fresh, link.path))
          owner.own(join(imagesDir(paths), fresh, link.path))
        }
      })
      renameSync(join(imagesDir(paths), fresh), path)
    }
  } catch (error) {
    throw diskError(error, `the host image in ${path}`)
  }
}

/** Make coop's folder of all boxes, and this box's. Raises E_BOX_EXISTS when there is one of that name. */
export function makeBoxFolder(paths: Paths, name: string): void {
  try {
    mkdirSync(boxesDir(paths), { recursive: true })
    mkdirSync(boxDir(paths, name))
    // Past the umask: root of the box is not the host's root, and passes through here to its own files.
    chmodSync(boxDir(paths, name), 0o711)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST')
      throw new CoopError('E_BOX_EXISTS', `there is a box named ${name} already`, {
        hint: `attach to it: coop attach ${name}; or choose another name: coop -n NAME`,
      })
    throw diskError(error, `boxes in ${boxesDir(paths)}`)
  }
}

/** A file of the user's, whose folder may be mounted in another box: no link on the way to it, and no fifo. */
function copyPlain(source: string, target: string): void {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY
  const fd = tree.openReal(tree.pathBytes(source), flags)
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${source} is no file any more`)
    copyFileSync(`/proc/self/fd/${fd}`, target)
  } finally {
    closeSync(fd)
  }
}

/** Where a folder is that outlives boxes. */
export const persistentPath = (paths: Paths, key: string, folder: string): string =>
  join(volumesDir(paths), `${key}-${folder.replaceAll('/', '-').replace(/^\.+/, '')}`)

/** Makes such a folder; when it is new with these files, else marked for what the image has. Returns its path. */
export function persistentFolder(
  paths: Paths,
  key: string,
  folder: string,
  ids: IdPlan,
  seed?: () => readonly SeedFile[],
): string {
  const owner = new Owner(ids)
  const path = persistentPath(paths, key, folder)
  const name = basename(path)
  try {
    if (existsSync(path)) return path
    mkdirSync(volumesDir(paths), { recursive: true })
    // Seeded under another name first: a volume that is there is whole.
    const fresh = join(volumesDir(paths), `.${name}.${process.pid}`)
    rmSync(fresh, { recursive: true, force: true })
    owner.folders(volumesDir(paths), `.${name}.${process.pid}`, 0o700)
    if (!seed) {
      mkdirSync(dirname(unseededFile(paths, name)), { recursive: true, mode: 0o700 })
      writeFileSync(unseededFile(paths, name), stamp(volumeMark, {}), { mode: 0o600 }) // before the folder: seeding.ts
    }
    for (const file of seed?.() ?? []) {
      owner.folders(fresh, dirname(file.path) === '.' ? '' : dirname(file.path), 0o700)
      const target = join(fresh, file.path)
      if ('text' in file) owner.file(target, file.text, 0o600)
      else {
        copyPlain(file.source, target)
        chmodSync(target, file.executable ? 0o700 : 0o600)
        owner.own(target)
      }
    }
    renameSync(fresh, path)
  } catch (error) {
    throw diskError(error, `the persistent folder ${path}`)
  }
  return path
}

/**
 * Rewrite a file of a persistent folder, as root of the box would. A box may be writing there at the same time, so that
 * every name is taken in an open folder. A link is left alone, and so is what lies behind one. Throws SysError.
 */
export function writeSetting(folder: string, path: string, text: string, ids: IdPlan): void {
  const owner = new Owner(ids)
  const parts = path.split('/')
  const name = tree.pathBytes(parts.pop() ?? '')
  let dir = openSync(folder, FOLDER)
  try {
    for (const part of parts) {
      const { fd, made } = tree.ensureFolder(dir, tree.pathBytes(part))
      closeSync(dir)
      dir = fd
      if (made) owner.ownOpen(dir)
    }
    if (tree.isLink(dir, name)) return
    const temporary = `${name}.${crypto.randomUUID()}` // a name that nobody can have prepared
    const fd = tree.createFile(dir, temporary)
    try {
      owner.ownOpen(fd)
      writeFileSync(fd, text)
      tree.rename(dir, temporary, name)
    } catch (error) {
      tree.remove(dir, temporary)
      throw error
    } finally {
      closeSync(fd)
    }
  } finally {
    closeSync(dir)
  }
}

/** What a daemon that was killed left half made: volumes and images are made under names that begin with a dot. */
export function clearHalfMade(paths: Paths): void {
  for (const folder of [volumesDir(paths), imagesDir(paths)]) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder)) if (name.startsWith('.')) removeTree(join(folder, name))
  }
}

function trashDir(paths: Paths): string {
  return join(paths.dataDir, 'trash')
}

/** Take a box's files out of sight at once; `emptyTrash` deletes them. */
export function discardStore(paths: Paths, name: string): void {
  discard(paths, boxDir(paths, name))
}

/** The same for any folder of coop's own. */
export function discard(paths: Paths, from: string): void {
  if (!existsSync(from)) return
  mkdirSync(trashDir(paths), { recursive: true, mode: 0o700 })
  const name = `${basename(from)}.${Date.now()}.${Math.random().toString(36).slice(2, 8)}`
  renameSync(from, join(trashDir(paths), name))
}

/** A new folder that belongs to root of the box. */
export function makeOwned(path: string, ids: IdPlan): void {
  withModes(() => new Owner(ids).folders(dirname(path), basename(path), 0o700))
}

/** Delete what was discarded. Returns what is left because it belongs to ids that only a box can act as. */
export const emptyTrash = (paths: Paths): string[] => finish(emptyingTrash(paths))

/** The same in steps. */
export function* emptyingTrash(paths: Paths): Steps<string[]> {
  let names: string[]
  try {
    names = readdirSync(trashDir(paths))
  } catch {
    return []
  }
  const left: string[] = []
  for (const name of names) left.push(...(yield* removingTree(join(trashDir(paths), name))))
  return left
}
