/**
 * Finds programs that coop starts on the host. `execvp` takes an empty entry of PATH for the current folder, and `npm
 * run` puts the project's `node_modules/.bin` first. A box can write in both places.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathBytes, placeIdentity } from '../../ffi/tree.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import { resolvedPath, statOf } from './host-place.ts'

/** Folders in which only the administrator writes. */
const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin', '/usr/local/sbin']

/** The place of a path, found as a workspace is: undefined if a link on the way may be the work of a box. */
function placeFor(path: string, writable: readonly string[]): string | undefined {
  try {
    const place = resolvedPath(path, writable, 'E_FAILED')
    return statOf(place) && !isWritten(place, writable) ? place : undefined
  } catch {
    return undefined
  }
}

/** Whether boxes write at a place without links, or in a folder above it, even if that was moved since. */
export function isWritten(place: string, writable: readonly string[]): boolean {
  if (writable.some((one) => isWithin(place, one))) return true
  for (let at = place; at !== '/'; at = dirname(at)) {
    const identity = placeIdentity(pathBytes(at))
    if (identity !== undefined && writable.includes(identity)) return true
  }
  return false
}

/**
 * The entries of a PATH that are absolute and outside of folders where boxes write, as a PATH. Links are resolved: a box
 * could replace one of its own after this.
 */
export function trustedPath(path: string, writable: readonly string[]): string {
  const folders = path.split(':').flatMap((folder) => {
    if (!folder.startsWith('/')) return []
    if (SYSTEM_FOLDERS.includes(folder)) return [folder]
    return placeFor(folder, writable) ?? []
  })
  return [...new Set(folders)].join(':')
}

/** The absolute path of a program in a PATH; undefined if no trusted folder has it. */
export function findProgram(name: string, path: string, writable: readonly string[]): string | undefined {
  if (name.includes('/')) return undefined
  return trustedPath(path, writable)
    .split(':')
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((program) => isProgram(program, writable))
}

/** The path of a system program, which no user installs in their home. */
export function findSystemProgram(name: string): string | undefined {
  return findProgram(name, SYSTEM_PATH, [])
}

export const SYSTEM_PATH = SYSTEM_FOLDERS.join(':')

/** An executable file that is no link into a place where boxes write. */
function isProgram(path: string, writable: readonly string[]): boolean {
  if (placeFor(path, writable) === undefined) return false
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
