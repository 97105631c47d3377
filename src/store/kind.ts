/**
 * The files that coop keeps on disk and later releases read. This folder describes each kind of state file once: its
 * version, the steps from each older version to the next, and the check of the result. Nothing else looks at a version.
 *
 * A file states its version and the release that wrote it. An older one is migrated when it is read, and gets today's
 * version when it is next written. A newer one is reported as newer and left alone.
 */

import { readFileSync } from 'node:fs'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import { VERSION } from '../core/version.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The steps of a chain, by their starting version; each makes the next version. Pure. */
export type Migrations = Readonly<Record<number, (old: Fields) => Fields>>

export interface Kind<T> {
  readonly name: string
  /** The version to write. */
  readonly version: number
  readonly migrations: Migrations
  /** Undefined for fields that are not of this kind. The fields lack version and release. */
  parse(fields: Fields): T | undefined
  /** For files that are not, or once were not, JSON. Undefined for an unreadable file; may throw. */
  decode?(bytes: Buffer): Fields | undefined
}

export interface Newer {
  readonly is: 'newer'
  /** The coop release that wrote the file, if stated. */
  readonly release: string | undefined
}

/** The result of reading a file. */
export type Stored<T> =
  | { readonly is: 'readable'; readonly value: T }
  | Newer
  /** Damaged, or older than the first release. */
  | { readonly is: 'unreadable' }

export type Found<T> = Stored<T> | { readonly is: 'missing' }

const UNREADABLE = { is: 'unreadable' } as const
const RELEASE = /^[\w.+-]{1,40}$/ // it is shown to people

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields of a value that may have none. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})

export const releaseIn = ({ release }: Fields): string | undefined =>
  typeof release === 'string' && RELEASE.test(release) ? release : undefined

/** The current meaning of a file's fields. */
export function migrate<T>(kind: Kind<T>, fields: Fields): Stored<T> {
  const { version } = fields
  if (typeof version !== 'number' || !Number.isSafeInteger(version)) return UNREADABLE
  if (version > kind.version) return { is: 'newer', release: releaseIn(fields) }
  let { version: _, release: __, ...now } = fields
  try {
    for (let at = version; at < kind.version; at++) {
      const step = kind.migrations[at]
      if (!step) return UNREADABLE
      now = { ...step(now) }
    }
    const value = kind.parse(now)
    return value === undefined ? UNREADABLE : { is: 'readable', value }
  } catch {
    return UNREADABLE // a step or the check met fields that no release has written
  }
}

/** Reads the content of a file. Never throws. */
export function readStored<T>(kind: Kind<T>, content: Buffer | string): Stored<T> {
  let fields: unknown
  try {
    fields = kind.decode
      ? kind.decode(typeof content === 'string' ? Buffer.from(content) : content)
      : JSON.parse(content.toString())
  } catch {
    return UNREADABLE
  }
  return isFields(fields) ? migrate(kind, fields) : UNREADABLE
}

/** Reads a file. Never throws. */
export function readStoredFile<T>(kind: Kind<T>, path: string): Found<T> {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? { is: 'missing' } : UNREADABLE
  }
  return readStored(kind, bytes)
}

/** The value if it is readable; for files that can be made again. */
export const readable = <T>(found: Found<T>): T | undefined =>
  found.is === 'readable' ? found.value : undefined

/** The text of a file of this kind, starting with its version and the release that writes it. */
export function stamp<T extends object>(kind: Kind<T>, value: T, indent?: number): string {
  return `${JSON.stringify({ version: kind.version, release: VERSION, ...value }, null, indent)}\n`
}

/** The coop that wrote a file, for people. */
export const writerOf = (release: string | undefined): string =>
  release === undefined ? 'a newer coop' : `coop ${release}`

/** The error for data of a newer release that is needed. `what` begins the sentence: "the image web". */
export function newerError(what: string, { release }: Newer, otherwise?: string): CoopError {
  return new CoopError('E_NEWER', `${what} was made by ${writerOf(release)}, and this is coop ${VERSION}`, {
    hint: `update coop${otherwise === undefined ? '' : `; or ${otherwise}`}`,
  })
}
