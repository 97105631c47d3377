/**
 * Where images are kept: blobs as they were downloaded in the cache folder, unpacked layers and records in the data
 * folder. Everything gets its name when it is whole; what a killed process left begins with `.tmp-`.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { openLockFile, tryLock } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { syncFileSystem } from '../../ffi/tree.ts'
import { imagesDir, type Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { bootId } from '../host/boot.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { type ImageRecord, imageRecord } from './image-record.ts'
import { type Found, newerError, readable, readStoredFile, stamp } from './kind.ts'
import { type LayerRecord, layerRecord } from './layer-record.ts'
import { unsyncedMark } from './unsynced-mark.ts'

const LOCK_POLL_MS = 50 // flock(2) would block the whole process

export type { BuildOrigin, ImageOrigin, ImageRecord } from './image-record.ts'
export type { LayerRecord } from './layer-record.ts'

export const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1)

export const blobFile = (paths: Paths, digest: string): string =>
  join(paths.cacheDir, 'blobs/sha256', hexOf(digest))
/** The first bytes of a blob: the next try goes on from there. */
export const partialFile = (paths: Paths, digest: string): string => `${blobFile(paths, digest)}.partial`

/** Unpacked layers by the ids that their files have: a user who gets a range has others than before. */
export function layersDir(paths: Paths, ids: IdPlan): string {
  return join(
    imagesDir(paths),
    'layers',
    `${ids.kind}-${Bun.hash(JSON.stringify([ids.uids, ids.gids])).toString(16)}`,
  )
}
export const layerDir = (paths: Paths, ids: IdPlan, chain: string): string =>
  join(layersDir(paths, ids), hexOf(chain))
/** Its files. Beside them `layer.json`, and `owners.jsonl` when some have another owner than they should. */
export const layerFiles = (folder: string): string => join(folder, 'fs')
/** What a step of setup said. */
export const layerLog = (folder: string): string => join(folder, 'build.log')
export const hasLayer = (paths: Paths, ids: IdPlan, chain: string): boolean =>
  isWholeLayer(layerDir(paths, ids, chain))

/** Says in which boot of the machine a layer was made, until its files are known to be on the disk. */
const unsyncedFile = (folder: string): string => join(folder, 'unsynced')

/** To be told before a layer gets its name: a power cut from now on makes it worthless. */
export function markUnsynced(folder: string): void {
  writeFileSync(unsyncedFile(folder), stamp(unsyncedMark, { boot: bootId() }), { mode: 0o600 })
}

/** Whether a layer is there, with everything that was written to it. */
export function isWholeLayer(folder: string): boolean {
  if (!existsSync(join(folder, 'layer.json'))) return false
  const mark = readStoredFile(unsyncedMark, unsyncedFile(folder))
  return mark.is === 'missing' || readable(mark)?.boot === bootId()
}

/** Have the disk take what was made in this boot, which takes as long as it takes. */
export function syncLayers(paths: Paths): void {
  const fresh = layerFolders(paths).filter(
    (folder) => existsSync(unsyncedFile(folder)) && isWholeLayer(folder),
  )
  if (!fresh.length) return
  syncFileSystem(imagesDir(paths))
  for (const folder of fresh) rmSync(unsyncedFile(folder), { force: true })
}

const recordsDir = (paths: Paths): string => join(imagesDir(paths), 'records')
const recordFile = (paths: Paths, reference: string): string =>
  join(recordsDir(paths), `${new Bun.CryptoHasher('sha256').update(reference).digest('hex')}.json`)

export function writeRecord(paths: Paths, record: ImageRecord): void {
  mkdirSync(recordsDir(paths), { recursive: true, mode: 0o700 })
  writeAtomically(recordFile(paths, record.reference), stamp(imageRecord, record, 2), { sync: true })
}

/** What there is of that name. */
export const lookAtRecord = (paths: Paths, reference: string): Found<ImageRecord> =>
  readStoredFile(imageRecord, recordFile(paths, reference))

/** Undefined when there is none that can be read, also when another process has just removed it. Raises E_NEWER. */
export function readRecord(paths: Paths, reference: string): ImageRecord | undefined {
  const found = lookAtRecord(paths, reference)
  if (found.is === 'newer')
    throw newerError(`the record of the image ${reference}`, found, `coop image rm ${reference}`)
  return readable(found)
}

/** Of that name; one that a registry could have and that was not pulled may have been published here (as podman has it). */
export const findRecord = (
  paths: Paths,
  reference: string,
  read: typeof readRecord = readRecord,
): ImageRecord | undefined =>
  read(paths, reference) ?? read(paths, reference.replace(/^docker\.io\/library\//, 'localhost/'))

/** For listings: undefined for one of a newer release, too. */
export const readableRecord = (paths: Paths, reference: string): ImageRecord | undefined =>
  readable(lookAtRecord(paths, reference))

export function removeRecord(paths: Paths, reference: string): void {
  rmSync(recordFile(paths, reference), { force: true })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** A file of a record, and what it is. */
export interface FoundRecord {
  readonly path: string
  readonly record: Found<ImageRecord>
}

export function findRecords(paths: Paths): FoundRecord[] {
  return namesIn(recordsDir(paths))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .map((name) => join(recordsDir(paths), name))
    .map((path) => ({ path, record: readStoredFile(imageRecord, path) }))
}

/** Those that can be read. */
export function listRecords(paths: Paths): ImageRecord[] {
  return findRecords(paths)
    .flatMap(({ record }) => readable(record) ?? [])
    .sort((a, b) => a.reference.localeCompare(b.reference))
}

export const printLayer = (record: LayerRecord): string => stamp(layerRecord, record)

export function readLayer(folder: string): LayerRecord | undefined {
  return readable(readStoredFile(layerRecord, join(folder, 'layer.json')))
}

/** Folders of all unpacked layers, of whatever ids. */
export function layerFolders(paths: Paths): string[] {
  const top = join(imagesDir(paths), 'layers')
  return namesIn(top).flatMap((kind) =>
    namesIn(join(top, kind))
      .filter((name) => !name.startsWith('.'))
      .map((name) => join(top, kind, name)),
  )
}

/** Bytes of the files of all its layers; what several images have counts for each. */
export function unpackedSize(paths: Paths, { layers }: Pick<ImageRecord, 'layers'>): number {
  const folders = new Map(layerFolders(paths).map((folder) => [basename(folder), folder]))
  return layers.reduce((sum, chain) => sum + (readLayer(folders.get(hexOf(chain)) ?? '')?.bytes ?? 0), 0)
}

/** What killed processes left half made, of layers; whose lock is held is being made right now. */
export function halfMadeLayers(paths: Paths): { readonly path: string; readonly name: string }[] {
  const top = join(imagesDir(paths), 'layers')
  return namesIn(top).flatMap((kind) =>
    namesIn(join(top, kind))
      .filter((name) => name.startsWith('.tmp-'))
      .map((name) => ({ path: join(top, kind, name), name: name.slice('.tmp-'.length) })),
  )
}

const lockFile = (paths: Paths, name: string): string => join(imagesDir(paths), 'locks', name)

/** Alone among all processes of this user, or with those who share; `waiting` is called when another one is at it. */
export async function withLock<T>(
  paths: Paths,
  name: string,
  waiting: () => void,
  work: () => Promise<T>,
  how: 'alone' | 'shared' = 'alone',
): Promise<T> {
  mkdirSync(dirname(lockFile(paths, name)), { recursive: true, mode: 0o700 })
  const fd = openLockFile(lockFile(paths, name))
  try {
    if (!tryLock(fd, how)) {
      waiting()
      while (!tryLock(fd, how)) await Bun.sleep(LOCK_POLL_MS)
    }
    return await work()
  } finally {
    closeDescriptor(fd)
  }
}

/** Whether nobody is at it. */
export async function ifUnlocked(paths: Paths, name: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(lockFile(paths, name)), { recursive: true, mode: 0o700 })
  const fd = openLockFile(lockFile(paths, name))
  try {
    if (tryLock(fd)) await work()
  } finally {
    closeDescriptor(fd)
  }
}
