/**
 * `serve.json`: the browsers that are signed in, where their notices go, and the folders that they chose. It holds hashes,
 * and no secret that opens anything: with the key for push services one could at most send notices.
 */
import { join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import type { PushSubscription } from '../protocol/calls/push.ts'
import type { VapidKeys } from '../push/pusher.ts'
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
  /** Where its notices go, if it wants any. */
  readonly push?: PushSubscription
}

export interface ServingRecord {
  readonly browsers: readonly BrowserRecord[]
  readonly folders: readonly { readonly path: string; readonly used: number }[]
  /** Made when the first browser wants notices. */
  readonly vapid?: VapidKeys
}

const TEXTS = ['id', 'name', 'address', 'cookie', 'key'] as const

const isBrowser = (value: unknown): boolean =>
  isFields(value) &&
  areTexts(value, ...TEXTS) &&
  typeof value.readonly === 'boolean' &&
  typeof value.created === 'number' &&
  typeof value.seen === 'number' &&
  (value.push === undefined || isSubscription(value.push))

const isSubscription = (value: unknown): boolean =>
  isFields(value) &&
  typeof value.endpoint === 'string' &&
  isFields(value.keys) &&
  areTexts(value.keys, 'p256dh', 'auth')

const isFolder = (value: unknown): boolean =>
  isFields(value) && typeof value.path === 'string' && typeof value.used === 'number'

const areTexts = (value: Fields, ...names: readonly string[]): boolean =>
  names.every((name) => typeof value[name] === 'string')

function parse({ browsers, folders, vapid }: Fields): ServingRecord | undefined {
  if (!Array.isArray(browsers) || !browsers.every(isBrowser)) return undefined
  if (!Array.isArray(folders) || !folders.every(isFolder)) return undefined
  const keys = isFields(vapid) && areTexts(vapid, 'publicKey', 'privateKey') ? { vapid } : {}
  return { browsers, folders, ...keys } as ServingRecord
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
