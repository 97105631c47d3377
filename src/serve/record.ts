/** `serve.json`: the browsers that are signed in, and the folders that they chose. It holds hashes, and no secret that opens anything. */
import { join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { type Fields, isFields, type Kind, newerError, readStoredFile, stamp } from '../store/kind.ts'

export interface BrowserRecord {
  /** Not secret: names it in listings. */
  readonly id: string
  readonly name: string
  readonly readonly: boolean
  readonly address: string
  /** Milliseconds since 1970. */
  readonly created: number
  readonly seen: number
  /** SHA-256, as hex, of its cookie and of the key that only its page knows. */
  readonly cookie: string
  readonly key: string
}

export interface ServingRecord {
  readonly browsers: readonly BrowserRecord[]
  readonly folders: readonly { readonly path: string; readonly used: number }[]
}

const TEXTS = ['id', 'name', 'address', 'cookie', 'key'] as const

const isBrowser = (value: unknown): boolean =>
  isFields(value) &&
  TEXTS.every((name) => typeof value[name] === 'string') &&
  typeof value.readonly === 'boolean' &&
  typeof value.created === 'number' &&
  typeof value.seen === 'number'

const isFolder = (value: unknown): boolean =>
  isFields(value) && typeof value.path === 'string' && typeof value.used === 'number'

function parse({ browsers, folders }: Fields): ServingRecord | undefined {
  if (!Array.isArray(browsers) || !browsers.every(isBrowser)) return undefined
  if (!Array.isArray(folders) || !folders.every(isFolder)) return undefined
  return { browsers, folders } as ServingRecord
}

export const servingRecord: Kind<ServingRecord> = { name: 'serving', version: 1, migrations: {}, parse }

const fileOf = (paths: Paths): string => join(paths.dataDir, 'serve.json')

/** Reads the file. One that is missing or damaged means that nobody is signed in. Raises E_NEWER. */
export function readServing(paths: Paths): ServingRecord {
  const found = readStoredFile(servingRecord, fileOf(paths))
  if (found.is === 'newer') throw newerError('the list of signed-in browsers', found)
  return found.is === 'readable' ? found.value : { browsers: [], folders: [] }
}

/** Raises what node:fs raises. */
export function writeServing(paths: Paths, record: ServingRecord): void {
  writeAtomically(fileOf(paths), stamp(servingRecord, record), { sync: true })
}
