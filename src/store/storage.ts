/** A box's files on disk, folders that outlive it, and their removal. */

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
import { isKernelLimit } from '../host/kernel-limits.ts'
import { hostIdOfRoot, type IdPlan } from '../sandbox/ids.ts'
import type { Plan } from '../sandbox/plan.ts'
import { stamp } from './kind.ts'
import { volumeMark } from './marks.ts'

/** Makes folders and files that belong to root of the box. */
export class Owner {
  readonly #uid: number | undefined
  readonly #gid: number | undefined

  constructor(ids: IdPlan) {
    // For an ordinary user, root of the box is the user: owners stay unchanged.
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

  /** Makes a folder; an existing one stays unchanged. */
  folder(path: string, mode = 0o755): void {
    try {
      mkdirSync(path, { mode })
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return
      throw error
    }
    this.own(path)
  }

  /** Makes a folder and those on the way to it below `base`. */
  folders(base: string, below: string, mode = 0o755): void {
    let at = base
    for (const part of below.split('/').filter(Boolean)) {
      at = join(at, part)
      this.folder(at, mode)
    }
  }

  /** Makes a file; an existing one stays unchanged. */
  file(path: string, text: string, mode: number): void {
    let fd: number
    try {
      fd = openSync(path, 'wx', mode)
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return
      throw error
    }
    try {
      writeFileSync(fd, text) // writes all or throws: a single write(2) to a disk that gets full writes a part
    } catch (error) {
      rmSync(path, { force: true }) // an incomplete file would count as an existing one
      throw error
    } finally {
      closeSync(fd)
    }
    this.own(path)
  }
}

/** Make files with the requested modes; the daemon's own umask excludes everybody else. */
export function withModes<T>(work: () => T): T {
  const before = process.umask(0)
  try {
    return work()
  } finally {
    process.umask(before)
  }
}

/** ENOSPC of a terminal, a mount or a namespace does not count: freeing disk space does not help there. */
export function isDiskFull(error: unknown): boolean {
  const code = errnoOf(error)
  return (code === 'ENOSPC' || code === 'EDQUOT') && !isKernelLimit(error)
}

/** Whether an error is about a full disk, also in coop's own words. */
export const saysDiskFull = (error: unknown): boolean =>
  isDiskFull(error) || (error instanceof CoopError && error.code === 'E_DISK_FULL')

/** Turns the errors that a person can solve into CoopErrors: a full disk, or one without write access. */
export function diskError(error: unknown, where: string): unknown {
  const code = errnoOf(error)
  if (isDiskFull(error))
    return new CoopError('E_DISK_FULL', `no space is left for ${where}`, {
      hint: 'free space (coop system df, coop system clean), or set COOP_DATA_DIR to a folder on a larger disk',
      cause: error,
    })
  if (code === 'EROFS' || code === 'EACCES')
    return new CoopError('E_FAILED', `${where} cannot be written (${code})`, {
      hint: 'set COOP_DATA_DIR to a folder that you can write',
      cause: error,
    })
  return error
}

/**
 * The upper and work folders of a box, with one folder in them for each overlay. No box ever sees these names.
 * Everything deeper belongs to the box and is made by its init (own-files.ts).
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
/** Make coop's folder of boxes, and this box's. Raises E_BOX_EXISTS if the name is taken. */
export function makeBoxFolder(paths: Paths, name: string): void {
  try {
    mkdirSync(boxesDir(paths), { recursive: true })
    mkdirSync(boxDir(paths, name))
    // In spite of the umask: root of the box, who is not the host's root, passes through this folder to its own files.
    chmodSync(boxDir(paths, name), 0o711)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST')
      throw new CoopError('E_BOX_EXISTS', `there is a box named ${name} already`, {
        hint: `attach to it: coop attach ${name}; or choose another name: coop -n NAME`,
      })
    throw diskError(error, `boxes in ${boxesDir(paths)}`)
  }
}

/** Copies a file of the user, whose folder may be mounted in another box: no link on the way to it, and no fifo. */
function copyPlain(source: string, target: string): void {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY
  const fd = tree.openReal(tree.pathBytes(source), flags)
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${source} is no longer a file`)
    copyFileSync(`/proc/self/fd/${fd}`, target)
  } finally {
    closeSync(fd)
  }
}

/** The path of a folder that outlives boxes. */
export const persistentPath = (paths: Paths, key: string, folder: string): string =>
  join(volumesDir(paths), `${key}-${folder.replaceAll('/', '-').replace(/^\.+/, '')}`)

/** Makes such a folder: a new one gets these files, or else a mark for the image's files. Returns its path. */
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
    // Seed under another name first, so that an existing volume is complete.
    const fresh = join(volumesDir(paths), `.${name}.${process.pid}`)
    rmSync(fresh, { recursive: true, force: true })
    owner.folders(volumesDir(paths), `.${name}.${process.pid}`, 0o700)
    if (!seed) {
      mkdirSync(dirname(unseededFile(paths, name)), { recursive: true, mode: 0o700 })
      writeFileSync(unseededFile(paths, name), stamp(volumeMark, {}), { mode: 0o600 }) // before the folder (seeding.ts)
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
 * Rewrite a file of a persistent folder as root of the box would. A box may be writing there at the same time, so every
 * name is resolved in an open folder. Links, and everything behind them, are left alone. Throws SysError.
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
    const temporary = `${name}.${crypto.randomUUID()}` // a name that nobody can predict
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

/**
 * Makes a link in a persistent folder, in place of a file; anything else that is there stays. The host never follows it.
 * Throws SysError.
 */
export function linkSetting(folder: string, name: string, target: string, ids: IdPlan): void {
  const dir = openSync(folder, FOLDER)
  const entry = tree.pathBytes(name)
  try {
    if (tree.isLink(dir, entry) || !tree.remove(dir, entry)) return
    tree.makeLink(tree.pathBytes(target), dir, entry)
    new Owner(ids).own(`/proc/self/fd/${dir}/${name}`)
  } finally {
    closeSync(dir)
  }
}

/** Whether a persistent folder has a link of that name. */
export function isLinkIn(folder: string, name: string): boolean {
  const dir = openSync(folder, FOLDER)
  try {
    return tree.isLink(dir, tree.pathBytes(name))
  } finally {
    closeSync(dir)
  }
}

/** Removes a link of a persistent folder; a file or folder of that name stays. Throws SysError. */
export function unlinkSetting(folder: string, name: string): void {
  const dir = openSync(folder, FOLDER)
  const entry = tree.pathBytes(name)
  try {
    if (tree.isLink(dir, entry)) tree.remove(dir, entry)
  } finally {
    closeSync(dir)
  }
}

/** Removes half-made volumes and images of a killed daemon; their names begin with a dot. */
export function clearHalfMade(paths: Paths): void {
  for (const folder of [volumesDir(paths), imagesDir(paths)]) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder)) if (name.startsWith('.')) removeTree(join(folder, name))
  }
}

function trashDir(paths: Paths): string {
  return join(paths.dataDir, 'trash')
}

/** Hide a box's files at once; `emptyTrash` deletes them. */
export function discardStore(paths: Paths, name: string): void {
  discard(paths, boxDir(paths, name))
}

/** Like `discardStore`, for any folder of coop's own. */
export function discard(paths: Paths, from: string): void {
  if (!existsSync(from)) return
  mkdirSync(trashDir(paths), { recursive: true, mode: 0o700 })
  const name = `${basename(from)}.${Date.now()}.${Math.random().toString(36).slice(2, 8)}`
  renameSync(from, join(trashDir(paths), name))
}

/** Makes a new folder that belongs to root of the box. */
export function makeOwned(path: string, ids: IdPlan): void {
  withModes(() => new Owner(ids).folders(dirname(path), basename(path), 0o700))
}

/** Delete discarded folders. Returns those that remain because their files belong to ids that only a box can use. */
export const emptyTrash = (paths: Paths): string[] => finish(emptyingTrash(paths))

/** `emptyTrash` in steps. */
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
