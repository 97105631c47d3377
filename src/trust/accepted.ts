/** What people have accepted, by folder: the state file as data. */
import type { Ask } from './ask.ts'

const VERSION = 1

export interface AcceptedAsk extends Pick<Ask, 'key' | 'sentence'> {
  /** Milliseconds since 1970. */
  readonly since: number
}

/** By the folder's path, links resolved. */
export type AcceptedByFolder = ReadonlyMap<string, readonly AcceptedAsk[]>

/** Undefined for a text that is not a file of this version: then nothing is accepted. */
export function parseAccepted(text: string): AcceptedByFolder | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value) || value.version !== VERSION || !isRecord(value.folders)) return undefined
  const folders = Object.entries(value.folders)
  const isWhole = folders.every(([, list]) => Array.isArray(list) && list.every(isAccepted))
  return isWhole ? new Map(folders as [string, AcceptedAsk[]][]) : undefined
}

export function printAccepted(folders: AcceptedByFolder): string {
  return `${JSON.stringify({ version: VERSION, folders: Object.fromEntries(folders) }, null, 1)}\n`
}

/** With `asks` accepted for a folder, beside what was before. */
export function withAccepted(
  before: AcceptedByFolder,
  folder: string,
  asks: readonly Pick<Ask, 'key' | 'sentence'>[],
  since: number,
): AcceptedByFolder {
  const all = new Map((before.get(folder) ?? []).map((ask) => [ask.key, ask]))
  for (const { key, sentence } of asks) all.set(key, { key, sentence, since })
  return new Map(before).set(folder, [...all.values()])
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isAccepted = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.key === 'string' &&
  typeof value.sentence === 'string' &&
  typeof value.since === 'number'
