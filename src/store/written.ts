/**
 * `written.json`: the folders and files of the host that a box has ever had writable. A link that a box has planted there
 * stays when the box is gone, so that places are remembered for as long as they exist.
 */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { type Fields, type Kind, newerError, readStoredFile, stamp } from './kind.ts'

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

/** Raises E_NEWER, and E_FAILED for a damaged list: without these places nothing could be told from a trap. */
export function readWritten(paths: Paths): readonly string[] {
  const file = writtenFile(paths)
  const found = readStoredFile(writtenRecord, file)
  if (found.is === 'newer') throw newerError('the list of places that boxes have written', found)
  if (found.is === 'unreadable')
    throw new CoopError('E_FAILED', `the list of places that boxes have written is damaged: ${file}`, {
      hint: `remove links that you did not make from the folders that boxes had writable, then: rm ${file}`,
    })
  return found.is === 'readable' ? found.value.places : []
}

/** Before a box is made that may write there. Places that are gone are forgotten. Returns those that are on the list now. */
export function addWritten(
  paths: Paths,
  known: readonly string[],
  places: readonly string[],
): readonly string[] {
  const news = places.filter((place) => !known.includes(place))
  if (!news.length) return known
  const kept = [...known.filter(exists), ...news]
  writeAtomically(writtenFile(paths), stamp(writtenRecord, { places: kept }), { sync: true })
  return kept
}
