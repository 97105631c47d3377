/**
 * `written.json`: the folders and files of the host that a box has ever been able to write. A link planted there stays
 * when the box is gone, so these places are remembered: by path, and by identity, because people move folders.
 */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { pathBytes, placeIdentity } from '../../ffi/tree.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { type Fields, isFields, type Kind, newerError, readStoredFile, stamp } from './kind.ts'

/** Missing places may come back with their links: on a disk that is plugged in again, or as a folder that was moved. */
const MOST = 2000 // places; beyond that the oldest missing ones are forgotten

interface Place {
  /** Without links when the box was made. */
  readonly path: string
  /** The identity of a folder or file (ffi/tree.ts), if it could be looked at. */
  readonly is: string | undefined
}

interface Written {
  readonly places: readonly Place[]
}

function parse({ places }: Fields): Written | undefined {
  if (!Array.isArray(places) || !places.every(isPlace)) return undefined
  return { places: places.map(({ path, is }) => ({ path, is })) }
}

const isPlace = (value: unknown): value is Place =>
  isFields(value) &&
  typeof value.path === 'string' &&
  value.path.startsWith('/') &&
  (value.is === undefined || (typeof value.is === 'string' && value.is.startsWith('@')))

export const writtenRecord: Kind<Written> = { name: 'written', version: 1, migrations: {}, parse }

const writtenFile = (paths: Paths): string => join(paths.dataDir, 'written.json')

/** Returns false only for a place that is certainly gone: a closed folder or a file above it may hide it. */
function mayBeThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ENOENT'
  }
}

/** The places as paths and identities (`RealPathFacts.writable`). */
const asWritable = (places: readonly Place[]): readonly string[] =>
  places.flatMap(({ path, is }) => (is === undefined ? [path] : [path, is]))

/** The list in memory. Only the daemon writes it. */
export class WrittenPlaces {
  readonly #paths: Paths
  #places: readonly Place[]
  #writable: readonly string[]

  /** Raises E_NEWER, and E_FAILED for a damaged list: without these places a planted link could not be recognized. */
  constructor(paths: Paths) {
    this.#paths = paths
    this.#places = readPlaces(paths)
    this.#writable = asWritable(this.#places)
  }

  get writable(): readonly string[] {
    return this.#writable
  }

  /** Called before a box is made that may write there. */
  add(found: readonly string[]): void {
    const known = new Set(this.#places.map(({ path, is }) => `${is} ${path}`))
    const news = [...new Set(found)]
      .map((path) => ({ path, is: placeIdentity(pathBytes(path)) }))
      .filter(({ path, is }) => !known.has(`${is} ${path}`))
    if (!news.length) return
    let tooMany = this.#places.length + news.length - MOST
    const kept = this.#places.filter(({ path }) => tooMany-- <= 0 || mayBeThere(path))
    const places = [...kept, ...news]
    writeAtomically(writtenFile(this.#paths), stamp(writtenRecord, { places }), { sync: true })
    this.#places = places
    this.#writable = asWritable(places)
  }
}

function readPlaces(paths: Paths): readonly Place[] {
  const file = writtenFile(paths)
  const found = readStoredFile(writtenRecord, file)
  if (found.is === 'newer') throw newerError('the list of places that boxes have written', found)
  if (found.is === 'unreadable')
    throw new CoopError('E_FAILED', `the list of places that boxes have written is damaged: ${file}`, {
      hint: `remove links that you did not make from the folders that boxes had writable, then: rm ${file}`,
    })
  return found.is === 'readable' ? found.value.places : []
}

/** Reads the list for a process that is not the daemon. Raises as `WrittenPlaces` does. */
export const readWritten = (paths: Paths): readonly string[] => asWritable(readPlaces(paths))
