/** Puts a release into the place of the installed program, and the kept one back. */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SysError } from '../../ffi/libc.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import type { Manifest } from '../release/manifest.ts'
import { diskError, isDiskFull } from '../store/storage.ts'
import { fileOf } from './address.ts'
import { choose } from './check.ts'
import type { Http } from './http.ts'
import { NewFile, removeLeftovers, replaceByLink } from './new-file.ts'
import {
  commitPrevious,
  digestOf,
  dropPrevious,
  keepNext,
  type Previous,
  piecesOf,
  previousProgram,
} from './previous.ts'
import { tryProgram } from './trial.ts'
import { unpack } from './unpack.ts'

/** Hears how far the work is. */
export type Progress = (phase: 'downloading' | 'unpacking' | 'done', done: number, size: number) => void

export interface Installed {
  /** The version that was there. */
  readonly before: string
  readonly program: string
}

/**
 * Downloads a release, checks it, and puts it into the place of `program`. Until the last step nothing changes. Raises
 * E_RELEASE, and E_DISK_FULL.
 */
export async function install(
  paths: Paths,
  http: Http,
  base: URL,
  manifest: Manifest,
  { program, before }: Installed,
  progress: Progress,
): Promise<void> {
  const { archive, binary } = choose(manifest)
  const { version } = manifest
  const folder = dirname(program)
  const old = statSync(program)
  progress('downloading', 0, archive.size)
  const packed = await http.exact(fileOf(base, version, archive.name), archive.size, (done) =>
    progress('downloading', done, archive.size),
  )
  if (new Bun.CryptoHasher('sha256').update(packed).digest('hex') !== archive.sha256)
    throw new CoopError('E_RELEASE', `${archive.name} is not what was signed: its digest is wrong`, {
      hint: 'nothing was changed; try again, or from another network',
    })
  progress('unpacking', 0, archive.size)
  try {
    removeLeftovers(folder)
    using file = new NewFile(folder)
    await unpack(packed, archive.packing, binary, (bytes) => file.write(bytes))
    file.finish(old)
    tryProgram(file.path, version)
    const now = statSync(program, { throwIfNoEntry: false })
    if (now?.ino !== old.ino || now.dev !== old.dev)
      throw new CoopError('E_RELEASE', `${program} was replaced meanwhile, so this update changes nothing`, {
        hint: 'look what is there now: coop --version',
      })
    const sha256 = digestOf(program)
    keepNext(paths, { kept: before, sha256, program, by: version, bySha256: binary.sha256 })
    file.replace(program)
  } catch (error) {
    throw placeError(error, folder)
  }
  commitPrevious(paths)
  progress('done', archive.size, archive.size)
}

/**
 * Puts the kept program back, and keeps the one that was there. `current` is that one's version; empty if unknown.
 * Returns whether the other program is kept now: a full disk must not prevent a rollback.
 */
export function putBack(paths: Paths, previous: Previous, current: string): boolean {
  const kept = previousProgram(paths)
  const { program } = previous
  if (digestOf(kept) !== previous.sha256)
    throw new CoopError('E_RELEASE', `the kept program was changed: ${kept}`, {
      hint: 'install a release by its version: coop update VERSION',
    })
  tryProgram(kept, previous.kept)
  const folder = dirname(program)
  try {
    removeLeftovers(folder)
    const isKept = keepCurrent(paths, previous, current)
    placeKept(kept, program)
    if (isKept) commitPrevious(paths)
    else dropPrevious(paths)
    return isKept
  } catch (error) {
    throw placeError(error, folder)
  }
}

function keepCurrent(paths: Paths, previous: Previous, current: string): boolean {
  const { program } = previous
  if (!statSync(program, { throwIfNoEntry: false })) return false // somebody has removed it
  const next = {
    kept: current,
    sha256: digestOf(program),
    program,
    by: previous.kept,
    bySha256: previous.sha256,
  }
  try {
    keepNext(paths, next)
    return true
  } catch (error) {
    if (error instanceof CoopError && error.code === 'E_DISK_FULL') return false
    throw error
  }
}

/** As another name of the same file, which takes no space; on another file system as a copy. */
function placeKept(kept: string, program: string): void {
  try {
    replaceByLink(kept, program)
    return
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes(errnoOf(error) ?? '')) throw error
  }
  using file = new NewFile(dirname(program))
  for (const piece of piecesOf(kept)) file.write(piece)
  file.finish(statSync(program, { throwIfNoEntry: false }) ?? { ...statSync(kept), mode: 0o755 })
  file.replace(program)
}

/** Words for what the disk refuses; other errors as they are. */
function placeError(error: unknown, folder: string): unknown {
  const code = errnoOf(error)
  if (isDiskFull(error))
    return new CoopError('E_DISK_FULL', `no space is left for the new coop in ${folder}`, {
      hint: 'nothing was changed; free some space and try again',
      cause: error,
    })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || error instanceof SysError)
    return new CoopError(
      'E_RELEASE',
      `the new coop cannot be written in ${folder} (${code ?? String(error)})`,
      {
        hint: 'nothing was changed; check the owner and the mode of the folder',
        cause: error,
      },
    )
  return diskError(error, folder)
}
