/**
 * The program that the last update or rollback replaced: `releases/previous/coop`, with a record of what it is. It is
 * prepared in `previous.new` before the program gets its name, and takes the place of the one before afterwards, so that
 * a kill between the two loses neither (`settle`).
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../core/errno.ts'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { isVersion } from '../release/versions.ts'
import { type Fields, type Kind, readable, readStoredFile, stamp } from '../store/kind.ts'
import { diskError } from '../store/storage.ts'
import { nextPreviousDir, previousDir, releasesDir } from './folder.ts'
import { removeLeftovers, syncFolder } from './new-file.ts'

export interface Previous {
  /** The version of the kept program; empty if nobody knows it. */
  readonly kept: string
  readonly sha256: string
  /** The path at which it was, and at which a rollback puts it back. */
  readonly program: string
  /** The release that took its place. */
  readonly by: string
  readonly bySha256: string
}

function parse({ kept, sha256, program, by, bySha256 }: Fields): Previous | undefined {
  const isDigest = (value: unknown): value is string =>
    typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
  if (typeof kept !== 'string' || !(kept === '' || isVersion(kept))) return undefined
  if (typeof by !== 'string' || !(by === '' || isVersion(by))) return undefined
  if (!isDigest(sha256) || !isDigest(bySha256)) return undefined
  if (typeof program !== 'string' || !program.startsWith('/')) return undefined
  return { kept, sha256, program, by, bySha256 }
}

export const previousRecord: Kind<Previous> = { name: 'previous-release', version: 1, migrations: {}, parse }

const PROGRAM = 'coop'
const RECORD = 'record.json'
const BUFFER = 1 << 20 // bytes

/** The kept program. */
export const previousProgram = (paths: Paths): string => join(previousDir(paths), PROGRAM)

/** Whether a path, without links, is that of the kept program. */
export const isKeptProgram = (paths: Paths, path: string): boolean =>
  existsSync(previousProgram(paths)) && realpathSync(previousProgram(paths)) === path

/** The one before, while it is still needed. */
const olderDir = (paths: Paths): string => join(releasesDir(paths), 'previous.old')

/** What is kept; undefined if nothing is, or its record cannot be read. */
export const readPrevious = (paths: Paths): Previous | undefined => readIn(previousDir(paths))

const readIn = (folder: string): Previous | undefined =>
  existsSync(join(folder, PROGRAM))
    ? readable(readStoredFile(previousRecord, join(folder, RECORD)))
    : undefined

/** The content of a file, each piece in the same memory. Raises errors of node:fs. */
export function* piecesOf(path: string): Generator<Uint8Array> {
  const fd = openSync(path, 'r')
  try {
    const buffer = new Uint8Array(BUFFER)
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) yield buffer.subarray(0, n)
  } finally {
    closeSync(fd)
  }
}

/** Returns the SHA-256 of a file. Raises errors of node:fs. */
export function digestOf(path: string): string {
  const hash = new Bun.CryptoHasher('sha256')
  for (const piece of piecesOf(path)) hash.update(piece)
  return hash.digest('hex')
}

/** Finishes or drops what a killed update has left. `program`: the place of the running coop. */
export function settle(paths: Paths, program: string): void {
  const next = readIn(nextPreviousDir(paths))
  const isReplaced = next?.program === program && existsSync(program) && digestOf(program) === next.bySha256
  removeLeftovers(releasesDir(paths))
  if (isReplaced) commitPrevious(paths)
  else if (existsSync(olderDir(paths)) && !existsSync(previousDir(paths)))
    renameSync(olderDir(paths), previousDir(paths))
  rmSync(nextPreviousDir(paths), { recursive: true, force: true })
  rmSync(olderDir(paths), { recursive: true, force: true })
}

/** Prepares the program that is about to be replaced. Raises E_DISK_FULL. */
export function keepNext(paths: Paths, previous: Previous): void {
  const folder = nextPreviousDir(paths)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    copyOrLink(previous.program, join(folder, PROGRAM))
    writeAtomically(join(folder, RECORD), stamp(previousRecord, previous), { sync: true })
    syncFolder(folder)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw diskError(error, `the program that is replaced, in ${folder}`)
  }
}

/** A second name of the same file takes no space and no time, and stays the old file when the first name changes. */
function copyOrLink(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK', 'EACCES'].includes(errnoOf(error) ?? '')) throw error
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    chmodSync(to, 0o755)
    const fd = openSync(to, 'r')
    fsyncSync(fd)
    closeSync(fd)
  }
}

/** Nothing is kept any more. */
export function dropPrevious(paths: Paths): void {
  rmSync(previousDir(paths), { recursive: true, force: true })
}

/** The program has been replaced: what was prepared is kept, and the one before goes. */
export function commitPrevious(paths: Paths): void {
  if (existsSync(previousDir(paths))) {
    rmSync(olderDir(paths), { recursive: true, force: true })
    renameSync(previousDir(paths), olderDir(paths))
  }
  renameSync(nextPreviousDir(paths), previousDir(paths))
  syncFolder(releasesDir(paths))
  rmSync(olderDir(paths), { recursive: true, force: true })
}
