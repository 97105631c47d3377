/** Where the running coop lies, and whether coop may replace it there. */
import { accessSync, constants, lstatSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import { isWritten } from '../host/programs.ts'
import { readWritten } from '../store/written.ts'

const RUNNING = '/proc/self/exe'
const DELETED = / \(deleted\)$/ // proc_pid_exe(5)
const FROM_SOURCE = '0.0.0-source' // core/version.ts: the running program is Bun then

/** Returns the real path of the running program: the kernel has followed all links. Raises E_RELEASE. */
export function runningProgram(): string {
  if (VERSION === FROM_SOURCE)
    throw new CoopError('E_RELEASE', 'this coop runs from its source, which has no releases', {
      hint: 'update the source: git pull',
    })
  const link = readlinkSync(RUNNING)
  const path = link.replace(DELETED, '')
  const now = lstatSync(path, { throwIfNoEntry: false })
  const running = statSync(RUNNING)
  if (now?.ino === running.ino && now.dev === running.dev) return path
  throw now
    ? new CoopError('E_RELEASE', `${path} was replaced while this coop was starting`, {
        hint: 'look what is there now: coop --version',
      })
    : new CoopError('E_RELEASE', `the program of this coop was removed from ${path}`, {
        hint: 'install coop again',
      })
}

/**
 * Raises E_RELEASE for a program where a box may write, or has written: it could lead every name there elsewhere, and the
 * program may be its own.
 */
export function checkUnwritten(paths: Paths, path: string): void {
  if (!isWritten(path, readWritten(paths))) return
  throw new CoopError(
    'E_RELEASE',
    `${path} lies in a folder that boxes can write, so coop does not update it`,
    {
      hint: 'install coop elsewhere, for example in ~/.local/bin',
    },
  )
}

/** Raises E_RELEASE with the command to type if this user cannot put another file into the program's place. */
export function checkWritable(path: string, words: string): void {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw notWritable(folder, path, words, error)
  }
  const file = statSync(path, { throwIfNoEntry: false })
  if (file && !isOurs(file)) throw notOurs(path, words)
}

/** Another owner's file could be replaced in an open folder, but the new one could not be given back to that owner. */
const isOurs = ({ uid }: Stats): boolean => process.getuid?.() === 0 || uid === process.getuid?.()

const asRoot = (path: string, words: string): string => {
  const base = process.env.COOP_BASE_URL
  return `sudo ${base ? `COOP_BASE_URL=${forShell(base)} ` : ''}${forShell(path)} ${words}`
}

/** A word as a shell reads it. People paste the line, and a project's .envrc may have set the variable. */
export const forShell = (word: string): string =>
  /^[\w./:@%+,~-]+$/.test(word) && !word.startsWith('~') ? word : `'${word.replaceAll("'", "'\\''")}'`

function notWritable(folder: string, path: string, words: string, error: unknown): CoopError {
  if (errnoOf(error) === 'EROFS')
    return new CoopError('E_RELEASE', `${path} cannot be replaced: ${folder} is on a read-only file system`, {
      hint: 'install coop elsewhere, for example in ~/.local/bin',
      cause: error,
    })
  return new CoopError('E_RELEASE', `${path} cannot be replaced: you may not write in ${folder}`, {
    hint: asRoot(path, words),
    cause: error,
  })
}

const notOurs = (path: string, words: string): CoopError =>
  new CoopError('E_RELEASE', `${path} cannot be replaced: it belongs to another user`, {
    hint: asRoot(path, words),
  })
