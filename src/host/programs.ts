/**
 * Where coop looks for programs that it starts on the host. `execvp` takes the current folder for an empty entry of
 * PATH and `npm run` puts the project's `node_modules/.bin` in front: both are places that a box writes in.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathBytes, placeIdentity } from '../../ffi/tree.ts'
import { isWithin } from '../sandbox/sensitive.ts'

/** Only the administrator writes here. */
const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin', '/usr/local/sbin']

function real(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** Whether a place without links is, or lies in, one that boxes write, also if that was moved. */
function isWritten(place: string, writable: readonly string[]): boolean {
  if (writable.some((one) => isWithin(place, one))) return true
  for (let at = place; at !== '/'; at = dirname(at)) {
    const identity = placeIdentity(pathBytes(at))
    if (identity !== undefined && writable.includes(identity)) return true
  }
  return false
}

/** Of a PATH the folders that are absolute and not where a box writes (links resolved), as a PATH. */
export function trustedPath(path: string, writable: readonly string[]): string {
  const folders = path.split(':').filter((folder) => {
    if (!folder.startsWith('/')) return false
    if (SYSTEM_FOLDERS.includes(folder)) return true
    const place = real(folder)
    return place !== undefined && !isWritten(place, writable)
  })
  return [...new Set(folders)].join(':')
}

/** The absolute path of a program in a PATH; undefined when no folder to be trusted has it. */
export function findProgram(name: string, path: string, writable: readonly string[]): string | undefined {
  if (name.includes('/')) return undefined
  return trustedPath(path, writable)
    .split(':')
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((program) => isProgram(program, writable))
}

/** Of the system: one that no user installs in their home. */
export function findSystemProgram(name: string): string | undefined {
  return findProgram(name, SYSTEM_PATH, [])
}

export const SYSTEM_PATH = SYSTEM_FOLDERS.join(':')

/** An executable file, and no link into a place that a box writes in. */
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
