/**
 * The file that remembers what people have accepted. It lies in coop's data folder, which is never mounted into a box, and
 * only a call of the user's own client has the daemon write it.
 */
import { existsSync, lstatSync, readFileSync, renameSync } from 'node:fs'
import { type Paths, trustFile } from '../core/paths.ts'
import { type AcceptedByFolder, parseAccepted, printAccepted } from '../trust/accepted.ts'
import { writeAtomically } from './manifest.ts'

export interface TrustFile {
  readonly folders: AcceptedByFolder
  /** That the file could not be read, and where it is kept now: a sentence, with a blank after it. */
  readonly note: string
}

/** Nothing is accepted when the file cannot be read. Then it is set aside, so that the next one can be written. */
export function readTrust(paths: Paths): TrustFile {
  const file = trustFile(paths)
  if (!existsSync(file)) return { folders: new Map(), note: '' }
  const folders = parseAccepted(read(file))
  return folders ? { folders, note: '' } : { folders: new Map(), note: setAside(file) }
}

function read(file: string): string {
  try {
    return lstatSync(file).isFile() ? readFileSync(file, 'utf8') : ''
  } catch {
    return '' // means nothing, as a damaged one
  }
}

function setAside(file: string): string {
  let aside = `${file}.unreadable`
  for (let number = 2; existsSync(aside); number++) aside = `${file}.unreadable.${number}`
  try {
    renameSync(file, aside)
  } catch {
    aside = file
  }
  return `what was accepted before cannot be read, and is kept in ${aside}. `
}

export function writeTrust(paths: Paths, folders: AcceptedByFolder): void {
  writeAtomically(trustFile(paths), printAccepted(folders), true)
}
