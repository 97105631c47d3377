/** What a box keeps on disk: its own files, folders that outlive it, and taking them away again. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { SeedFile } from '../agents/seed.ts'
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
import { sourceOf } from '../host/facts.ts'
import type { Skeleton } from '../sandbox/host-image.ts'
import { hostIdOfRoot, type IdPlan } from '../sandbox/ids.ts'
import type { Plan, Source } from '../sandbox/plan.ts'
import { stamp } from '../store/kind.ts'
import { volumeMark } from '../store/volume-mark.ts'

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

  /** The folder and those that lead to it below `base`. */
  folders(base: string, below: string, mode = 0o755): void {
    let at = base
    for (const part of below.split('/').filter(Boolean)) {
      at = join(at, part)
      try {
        mkdirSync(at, { mode })
      } catch (error) {
        if ((error as { code?: string }).code === 'EEXIST') continue
        throw error
      }
      this.own(at)
    }
  }

  /** A new file; one that is there stays as it is. */
  file(path: string, text: string, mode: number): void {
    let fd: number
    try {
      fd = openSync(path, 'wx', mode)
    } catch (error) {
      if ((error as { code?: string }).code === 'EEXIST') return
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

export function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: string }).code
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Name the disk when it is full: the one error of these that a person can do something about. */
export function diskError(error: unknown, where: string): unknown {
  const code = (error as { code?: string }).code
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

/** The upper and work folders of a box, with what its /etc and home have from the start. */
export function prepareStore(paths: Paths, plan: Plan, homeFiles: Readonly<Record<string, string>>): void {
  const upper = upperDir(paths, plan.name)
  const work = workDir(paths, plan.name)
  const owner = new Owner(plan.ids)
  try {
    withModes(() => makeStore())
  } catch (error) {
    throw diskError(error, `the files of the box in ${upper}`)
  }

  function makeStore(): void {
    for (const top of [upper, work]) owner.folders(dirname(top), top.slice(dirname(top).length))
    const overlays = plan.steps.flatMap((step) => (step.do === 'overlay' ? [step.upper] : []))
    for (const name of ['root', ...overlays]) {
      owner.folders(upper, name)
      owner.folders(work, name)
    }
    const etc = overlays.includes('etc') ? join(upper, 'etc') : join(upper, 'root/etc')
    if (!overlays.includes('etc')) owner.folders(upper, 'root/etc')
    for (const [name, text] of Object.entries(plan.etc)) owner.file(join(etc, name), text, 0o644)
    const home = `root${plan.user.home}`
    owner.folders(upper, home)
    for (const [name, text] of Object.entries(homeFiles)) owner.file(join(upper, home, name), text, 0o644)
  }
}

const SKELETON_VERSION = 1 // raised when hostSkeleton makes something else

/** The skeleton of the `host` image, made when it is not there yet; its folders by name. */
export function ensureSkeleton(paths: Paths, skeleton: Skeleton, ids: IdPlan): Map<string, Source> {
  const owner = new Owner(ids)
  const text = JSON.stringify([SKELETON_VERSION, skeleton, ids.kind === 'root' ? hostIdOfRoot(ids.uids) : 0])
  const name = `host-${Bun.hash(text).toString(16)}`
  const path = join(imagesDir(paths), name)
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
  const sources = readdirSync(path).flatMap((top) => {
    const source = sourceOf(join(path, top), 'box')
    return source ? [[top, source] as const] : []
  })
  return new Map(sources)
}

/** Make coop's folder of all boxes, and this box's. Raises E_BOX_EXISTS when there is one of that name. */
export function makeBoxFolder(paths: Paths, name: string): void {
  try {
    mkdirSync(boxesDir(paths), { recursive: true })
    mkdirSync(boxDir(paths, name))
    // Past the umask: root of the box is not the host's root, and passes through here to its own files.
    chmodSync(boxDir(paths, name), 0o711)
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST')
      throw new CoopError('E_BOX_EXISTS', `there is a box named ${name} already`, {
        hint: `attach to it: coop attach ${name}; or choose another name: coop -n NAME`,
      })
    throw diskError(error, `boxes in ${boxesDir(paths)}`)
  }
}

/** A folder that outlives boxes; when it is new with these files, else marked for what the image has. Returns its path. */
export function persistentFolder(
  paths: Paths,
  key: string,
  folder: string,
  ids: IdPlan,
  seed?: () => readonly SeedFile[],
): string {
  const owner = new Owner(ids)
  const name = `${key}-${folder.replaceAll('/', '-').replace(/^\.+/, '')}`
  const path = join(volumesDir(paths), name)
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
        copyFileSync(file.source, target)
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
 * Rewrite a file of a persistent folder, as root of the box would. A box may be writing there at the same time:
 * the new file gets a name that nobody can have prepared, and replaces whatever is at the old one.
 */
export function writeSetting(path: string, text: string, ids: IdPlan): void {
  const owner = new Owner(ids)
  const temporary = `${path}.${crypto.randomUUID()}`
  owner.folders('/', dirname(path).slice(1), 0o700)
  try {
    owner.file(temporary, text, 0o600)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** What a daemon that was killed left half made: volumes and images are made under names that begin with a dot. */
export function clearHalfMade(paths: Paths): void {
  for (const folder of [volumesDir(paths), imagesDir(paths)]) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder))
      if (name.startsWith('.')) rmSync(join(folder, name), { recursive: true, force: true })
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

/** Whether all of it could be removed. */
export function removeTree(path: string): boolean {
  let whole = true
  try {
    if (!lstatSync(path).isDirectory()) {
      unlinkSync(path)
      return true
    }
    chmodSync(path, 0o700) // overlayfs leaves a work folder without any permission
  } catch {
    // Tried below all the same: an empty folder of another id can be removed from a folder of ours.
  }
  try {
    for (const name of readdirSync(path)) whole = removeTree(join(path, name)) && whole
    rmdirSync(path)
  } catch {
    try {
      rmdirSync(path)
    } catch {
      return false
    }
  }
  return whole
}

/** Delete what was discarded. Returns what is left because it belongs to ids that only a box can act as. */
export function emptyTrash(paths: Paths): string[] {
  let names: string[]
  try {
    names = readdirSync(trashDir(paths))
  } catch {
    return []
  }
  return names.map((name) => join(trashDir(paths), name)).filter((path) => !removeTree(path))
}
