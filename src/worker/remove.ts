/** Removes images: their records at once, and layers that nothing else uses. */
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { type Paths, snapshotsDir, volumesDir } from '../core/paths.ts'
import type { Removed, WorkerReply } from '../protocol/worker-calls.ts'
import {
  halfMadeLayers,
  ifUnlocked,
  listRecords,
  lookAtRecord,
  readableRecord,
  removeRecord,
} from '../store/images.ts'
import { findSnapshots } from '../store/snapshots.ts'
import { unusedImages, unusedLayers } from '../store/unused.ts'
import { usersOf } from '../store/usage.ts'
import { listVolumes, treeSize } from './disk-use.ts'
import type { WorkerContext } from './work.ts'

/** Raises E_IMAGE when a box uses one of these images: the box could not be started again. */
export function refuseUsed(paths: Paths, references: readonly string[]): void {
  for (const reference of references) {
    const record = readableRecord(paths, reference)
    const boxes = record ? usersOf(paths, record) : []
    if (!boxes.length) continue
    const users = boxes.length === 1 ? `the box ${boxes[0]} uses` : `the boxes ${boxes.join(', ')} use`
    throw new CoopError('E_IMAGE', `${users} the image ${reference}`, {
      hint: `end it: coop kill ${boxes[0]}; or remove the image only, boxes keep its layers: --force`,
    })
  }
}

export async function removeImages(context: WorkerContext, references: readonly string[]): Promise<Removed> {
  const { paths, discard } = context
  for (const reference of references)
    if (lookAtRecord(paths, reference).is === 'missing')
      throw new CoopError('E_IMAGE', `there is no image ${reference}`, { hint: 'coop image ls' })
  for (const reference of references) removeRecord(paths, reference)
  let bytes = 0
  let layers = 0
  for (const folder of unusedLayers(paths))
    await ifUnlocked(paths, `layer-${basename(folder)}`, async () => {
      if (!unusedLayers(paths).includes(folder)) return // an image with it was published meanwhile
      bytes += treeSize(folder)
      layers++
      await discard(folder)
    })
  return { references, layers, bytes }
}

/**
 * Removes layers that killed processes left half made, and returns their bytes. Layers that cannot be removed now wait for
 * the next call.
 */
export async function clearHalfMadeLayers(
  paths: Paths,
  discard: (folder: string) => Promise<void>,
): Promise<number> {
  let bytes = 0
  for (const { path, name } of halfMadeLayers(paths))
    await ifUnlocked(paths, `layer-${name}`, async () => {
      const size = treeSize(path)
      await discard(path).then(
        () => (bytes += size),
        () => {},
      )
    })
  return bytes
}

/** Removes everything in the store that no box uses; with `downloads`, downloaded files, too. */
export async function clean(context: WorkerContext, downloads: boolean): Promise<Removed> {
  const removed = await removeImages(
    context,
    unusedImages(context.paths).map(({ reference }) => reference),
  )
  const freed = removed.bytes + context.cleared
  if (!downloads) return { ...removed, bytes: freed }
  const blobs = join(context.paths.cacheDir, 'blobs')
  const bytes = treeSize(blobs)
  rmSync(blobs, { recursive: true, force: true })
  return { ...removed, bytes: freed + bytes }
}

/** Removes everything that boxes leave behind. No box may be left. */
export async function prune(context: WorkerContext): Promise<WorkerReply<'system.prune'>> {
  const { paths, discard } = context
  const volumes = listVolumes(paths).filter(({ isLogin }) => !isLogin).length
  const snapshots = findSnapshots(paths).length
  const published = listRecords(paths).filter(({ from }) => from)
  for (const { reference } of published) removeRecord(paths, reference)
  const { references, bytes } = await clean(context, true)
  let more = 0
  for (const folder of [volumesDir(paths), snapshotsDir(paths)]) {
    more += treeSize(folder)
    await discard(folder)
  }
  return { images: published.length + references.length, volumes, snapshots, bytes: bytes + more }
}

/** Removes volumes. Raises E_MOUNT for a volume that a box uses. */
export async function removeVolumes(context: WorkerContext, names: readonly string[]): Promise<Removed> {
  const volumes = listVolumes(context.paths)
  const wanted = names.map((name) => {
    const volume = volumes.find((one) => one.name === name)
    if (!volume) throw new CoopError('E_MOUNT', `there is no volume ${name}`, { hint: 'coop volume ls' })
    const [box] = volume.usedBy
    if (box)
      throw new CoopError('E_MOUNT', `the box ${box} uses the volume ${name}`, { hint: `coop kill ${box}` })
    return volume
  })
  let bytes = 0
  for (const { path } of wanted) {
    bytes += treeSize(path)
    await context.discard(path)
  }
  return { references: names, layers: 0, bytes }
}
