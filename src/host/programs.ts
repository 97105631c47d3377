/**
 * Finds programs that coop starts on the host. `execvp` takes an empty entry of PATH for the current folder, and `npm
 * run` puts the project's `node_modules/.bin` first. A box can write in both places.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathBytes, placeIdentity } from '../../ffi/tree.ts'
import { isWithin } from '../sandbox/sensitive.ts'

/** Folders in which only the administrator writes. */
const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin', '/usr/local/sbin']

function real(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** Whether boxes write at a place without links, or in a folder above it, even if that was moved since. */
function isWritten(place: string, writable: readonly string[]): boolean {
  if (writable.some((one) => isWithin(place, one))) return true
  for (let at = place; at !== '/'; at = dirname(at)) {
    const identity = placeIdentity(pathBytes(at))
    if (identity !== undefined && writable.includes(identity)) return true
  }
  return false
}

/** The entries of a PATH that are absolute and outside of folders where boxes write (links resolved), as a PATH. */
export function trustedPath(path: string, writable: readonly string[]): string {
  const folders = path.split(':').filter((folder) => {
    if (!folder.startsWith('/')) return false
    if (SYSTEM_FOLDERS.includes(folder)) return true
    const place = real(folder)
    return place !== undefined && !isWritten(place, writable)
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
  const place = real(path)
  if (place === undefined || isWritten(place, writable)) return false
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
