/**
 * The storage of images: downloaded blobs in the cache folder, unpacked layers and records in the data folder.
 * Everything gets its name when it is complete; leftovers of a killed process begin with `.tmp-`.
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
import { unsyncedMark } from './marks.ts'

const LOCK_POLL_MS = 50 // flock(2) would block the whole process

export type { BuildOrigin, ImageOrigin, ImageRecord } from './image-record.ts'
export type { LayerRecord } from './layer-record.ts'

export const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1)

export const blobFile = (paths: Paths, digest: string): string =>
  join(paths.cacheDir, 'blobs/sha256', hexOf(digest))
/** The first bytes of a blob; the next attempt continues from there. */
export const partialFile = (paths: Paths, digest: string): string => `${blobFile(paths, digest)}.partial`

/** Unpacked layers by the ids of their files: a user who gets a range of ids needs other layers than before. */
export function layersDir(paths: Paths, ids: IdPlan): string {
  return join(
    imagesDir(paths),
    'layers',
    `${ids.kind}-${Bun.hash(JSON.stringify([ids.uids, ids.gids])).toString(16)}`,
  )
}
export const layerDir = (paths: Paths, ids: IdPlan, chain: string): string =>
  join(layersDir(paths, ids), hexOf(chain))
/** The layer's files. Beside them lie `layer.json`, and `owners.jsonl` if some files have a wrong owner. */
export const layerFiles = (folder: string): string => join(folder, 'fs')
/** The output of a step of setup. */
export const layerLog = (folder: string): string => join(folder, 'build.log')
export const hasLayer = (paths: Paths, ids: IdPlan, chain: string): boolean =>
  isWholeLayer(layerDir(paths, ids, chain))

/** Names the boot of the machine in which a layer was made, until its files are known to be on the disk. */
const unsyncedFile = (folder: string): string => join(folder, 'unsynced')

/** Call this before a layer gets its name: a power cut from then on makes the layer worthless. */
export function markUnsynced(folder: string): void {
  writeFileSync(unsyncedFile(folder), stamp(unsyncedMark, { boot: bootId() }), { mode: 0o600 })
}

/** Whether a layer exists with everything that was written to it. */
export function isWholeLayer(folder: string): boolean {
  if (!existsSync(join(folder, 'layer.json'))) return false
  const mark = readStoredFile(unsyncedMark, unsyncedFile(folder))
  return mark.is === 'missing' || readable(mark)?.boot === bootId()
}

/** Write the layers of this boot to the disk, however long that takes. */
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

/** The record of that name, readable or not. */
export const lookAtRecord = (paths: Paths, reference: string): Found<ImageRecord> =>
  readStoredFile(imageRecord, recordFile(paths, reference))

/** Undefined if there is no readable record, also if another process has just removed it. Raises E_NEWER. */
export function readRecord(paths: Paths, reference: string): ImageRecord | undefined {
  const found = lookAtRecord(paths, reference)
  if (found.is === 'newer')
    throw newerError(`the record of the image ${reference}`, found, `coop image rm ${reference}`)
  return readable(found)
}

/** The record of that name. A name without a pulled image may mean an image published here (as in podman). */
export const findRecord = (
  paths: Paths,
  reference: string,
  read: typeof readRecord = readRecord,
): ImageRecord | undefined =>
  read(paths, reference) ?? read(paths, reference.replace(/^docker\.io\/library\//, 'localhost/'))

/** For listings: undefined also for a record of a newer release. */
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

/** A record's file and its content. */
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

/** The readable records. */
export function listRecords(paths: Paths): ImageRecord[] {
  return findRecords(paths)
    .flatMap(({ record }) => readable(record) ?? [])
    .sort((a, b) => a.reference.localeCompare(b.reference))
}

export const printLayer = (record: LayerRecord): string => stamp(layerRecord, record)

export function readLayer(folder: string): LayerRecord | undefined {
  return readable(readStoredFile(layerRecord, join(folder, 'layer.json')))
}

/** Folders of all unpacked layers, for all ids. */
export function layerFolders(paths: Paths): string[] {
  const top = join(imagesDir(paths), 'layers')
  return namesIn(top).flatMap((kind) =>
    namesIn(join(top, kind))
      .filter((name) => !name.startsWith('.'))
      .map((name) => join(top, kind, name)),
  )
}

/** Bytes of the files of all its layers. A layer of several images counts for each. */
export function unpackedSize(paths: Paths, { layers }: Pick<ImageRecord, 'layers'>): number {
  const folders = new Map(layerFolders(paths).map((folder) => [basename(folder), folder]))
  return layers.reduce((sum, chain) => sum + (readLayer(folders.get(hexOf(chain)) ?? '')?.bytes ?? 0), 0)
}

/** Incomplete layers of killed processes. A layer whose lock is held is being made right now. */
export function halfMadeLayers(paths: Paths): { readonly path: string; readonly name: string }[] {
  const top = join(imagesDir(paths), 'layers')
  return namesIn(top).flatMap((kind) =>
    namesIn(join(top, kind))
      .filter((name) => name.startsWith('.tmp-'))
      .map((name) => ({ path: join(top, kind, name), name: name.slice('.tmp-'.length) })),
  )
}

const lockFile = (paths: Paths, name: string): string => join(imagesDir(paths), 'locks', name)

/** Runs `work` alone among all processes of this user, or with other sharers; calls `waiting` if it must wait. */
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

/** Runs `work` if no process is busy with it. */
export async function ifUnlocked(paths: Paths, name: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(lockFile(paths, name)), { recursive: true, mode: 0o700 })
  const fd = openLockFile(lockFile(paths, name))
  try {
    if (tryLock(fd)) await work()
  } finally {
    closeDescriptor(fd)
  }
}
