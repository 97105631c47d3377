/**
 * The file that remembers what people have accepted. It lies in coop's data folder, which is never mounted into a box.
 * The daemon writes it only on a call of the user's own client.
 */
import { existsSync, renameSync } from 'node:fs'
import { type Paths, trustFile } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { newerError, readStoredFile, stamp, writerOf } from '../store/kind.ts'
import { acceptedOf, recordOf, trustRecord } from '../store/trust-record.ts'
import type { AcceptedByFolder } from '../trust/accepted.ts'

export interface TrustFile {
  readonly folders: AcceptedByFolder
  /** A sentence with a space after it, when the file could not be read: says so, and where the file is kept now. */
  readonly note: string
}

/**
 * Reads the file; an unreadable one accepts nothing. A damaged file is set aside, so that a new one can be written. A
 * file of a newer coop stays.
 */
export function readTrust(paths: Paths): TrustFile {
  const file = trustFile(paths)
  const found = readStoredFile(trustRecord, file)
  if (found.is === 'readable') return { folders: acceptedOf(found.value), note: '' }
  const folders = new Map()
  if (found.is === 'missing') return { folders, note: '' }
  if (found.is === 'unreadable') return { folders, note: setAside(file) }
  return { folders, note: `the list of accepted requests was written by ${writerOf(found.release)}. ` }
}

function setAside(file: string): string {
  let aside = `${file}.unreadable`
  for (let number = 2; existsSync(aside); number++) aside = `${file}.unreadable.${number}`
  try {
    renameSync(file, aside)
  } catch {
    aside = file
  }
  return `the list of accepted requests cannot be read, and is kept in ${aside}. `
}

/** Writes the file. Raises E_NEWER for a file of a newer coop, and leaves that as it is. */
export function writeTrust(paths: Paths, folders: AcceptedByFolder): void {
  const file = trustFile(paths)
  const found = readStoredFile(trustRecord, file)
  if (found.is === 'newer') throw newerError(`what you have accepted (${file})`, found)
  writeAtomically(file, stamp(trustRecord, recordOf(folders), 1), { sync: true })
}
