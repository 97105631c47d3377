/**
 * Where images are kept: blobs as they were downloaded in the cache folder, unpacked layers and records in the data
 * folder. Everything gets its name when it is whole; what a killed process left begins with `.tmp-`.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { openLockFile, tryLock } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { syncFileSystem } from '../../ffi/tree.ts'
import { imagesDir, type Paths } from '../core/paths.ts'
import { bootId } from '../host/boot.ts'
import type { ImageConfig } from '../image/manifest.ts'
import type { IdPlan } from '../sandbox/ids.ts'

const LOCK_POLL_MS = 50 // flock(2) would block the whole process
const RECORD_VERSION = 1

/** Where an image came from that was made of a box. */
export interface ImageOrigin {
  readonly box: string
  readonly snapshot?: string
  readonly workspace: string
  /** What the box had started from, as its configuration names it. */
  readonly image: string
}

/** What `coop build` made an image for. */
export interface BuildOrigin {
  /** In full. */
  readonly image: string
  /** All that have the same steps on the same image. */
  readonly workspaces: readonly string[]
}

/** What is known of an image by its name. */
export interface ImageRecord {
  readonly version: typeof RECORD_VERSION
  /** In full (reference.ts). */
  readonly reference: string
  /** Of its manifest; of an image that was made here, its topmost layer's id. */
  readonly digest: string
  readonly config: ImageConfig
  /** Chain ids, lowest first (manifest.ts). */
  readonly layers: readonly string[]
  /** Bytes of all layers as they are downloaded. */
  readonly size: number
  /** Milliseconds since 1970. */
  readonly pulled: number
  /** Made here: no registry has it. */
  readonly from?: ImageOrigin | undefined
  readonly built?: BuildOrigin | undefined
  /** The layers lie on the `host` image; each has a folder for every overlay of that. */
  readonly base?: 'host' | undefined
}

/** What is known of an unpacked layer. */
export interface LayerRecord {
  readonly version: typeof RECORD_VERSION
  readonly diffId: string
  readonly entries: number
  readonly bytes: number
}

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
  writeFileSync(unsyncedFile(folder), bootId(), { mode: 0o600 })
}

/** Whether a layer is there, with everything that was written to it. */
export function isWholeLayer(folder: string): boolean {
  if (!existsSync(join(folder, 'layer.json'))) return false
  try {
    return readFileSync(unsyncedFile(folder), 'utf8') === bootId()
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT'
  }
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

/** Written beside, synced, renamed: a reader sees the old or the new. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = join(dirname(path), `.tmp-${crypto.randomUUID()}`)
  try {
    const fd = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(fd, text) // all of it or an error: one write(2) to a disk that gets full takes a part
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

export function writeRecord(paths: Paths, record: ImageRecord): void {
  writeWhole(recordFile(paths, record.reference), `${JSON.stringify(record, null, 2)}\n`)
}

/** Undefined also when another process has just removed it. */
function readRecordFile(path: string): ImageRecord | undefined {
  try {
    // Written by coop itself, whole or not at all; another version's is as if there were none.
    const record = JSON.parse(readFileSync(path, 'utf8')) as ImageRecord
    return record.version === RECORD_VERSION ? record : undefined
  } catch {
    return undefined
  }
}

export const readRecord = (paths: Paths, reference: string): ImageRecord | undefined =>
  readRecordFile(recordFile(paths, reference))

/** Of that name; one that a registry could have and that was not pulled may have been published here (as podman has it). */
export const findRecord = (paths: Paths, reference: string): ImageRecord | undefined =>
  readRecord(paths, reference) ?? readRecord(paths, reference.replace(/^docker\.io\/library\//, 'localhost/'))

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

export function listRecords(paths: Paths): ImageRecord[] {
  return namesIn(recordsDir(paths))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .flatMap((name) => readRecordFile(join(recordsDir(paths), name)) ?? [])
    .sort((a, b) => a.reference.localeCompare(b.reference))
}

export function readLayer(folder: string): LayerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'layer.json'), 'utf8')) as LayerRecord
  } catch {
    return undefined
  }
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
