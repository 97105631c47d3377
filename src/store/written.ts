/**
 * `written.json`: the folders and files of the host that a box has ever had writable. A link that a box has planted there
 * stays when the box is gone, so that places are remembered for as long as they exist.
 */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { type Fields, type Kind, newerError, readStoredFile, stamp } from './kind.ts'
import { writeAtomically } from './manifest.ts'

interface Written {
  /** Without links when the box was made. */
  readonly places: readonly string[]
}

function parse({ places }: Fields): Written | undefined {
  if (!Array.isArray(places) || !places.every((place) => typeof place === 'string')) return undefined
  return { places }
}

export const writtenRecord: Kind<Written> = { name: 'written', version: 1, migrations: {}, parse }

const writtenFile = (paths: Paths): string => join(paths.dataDir, 'written.json')

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Raises E_NEWER: without these places nothing could be told from a trap. */
export function readWritten(paths: Paths): readonly string[] {
  const found = readStoredFile(writtenRecord, writtenFile(paths))
  if (found.is === 'newer') throw newerError('the list of places that boxes have written', found)
  return found.is === 'readable' ? found.value.places : []
}

/** Before a box is made that may write there. Places that are gone are forgotten. */
export function addWritten(paths: Paths, places: readonly string[]): void {
  const known = readWritten(paths)
  const news = places.filter((place) => !known.includes(place))
  if (!news.length) return
  const kept = [...known.filter(exists), ...news]
  writeAtomically(writtenFile(paths), stamp(writtenRecord, { places: kept }), true)
}
