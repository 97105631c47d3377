/** Pulls an image into the store: layers are downloaded in parallel and unpacked from the lowest up. */
import { appendFileSync, chownSync, closeSync, constants, mkdirSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import * as k from '../../../ffi/abi/constants.ts'
import type { Paths } from '../../core/paths.ts'
import { writeAtomically } from '../../disk/write-atomically.ts'
import type { WorkerEvent } from '../../protocol/worker-calls.ts'
import { hostIdOfRoot } from '../../sandbox/ids.ts'
import {
  hasLayer,
  hexOf,
  type ImageRecord,
  type LayerRecord,
  layerDir,
  layerFiles,
  layersDir,
  markUnsynced,
  printLayer,
  withLock,
  writeRecord,
} from '../../store/images.ts'
import { diskError } from '../../store/storage.ts'
import { decompressed } from '../unpack/decompress.ts'
import { enterFolder, type LayerInit } from '../unpack/layer-init.ts'
import { TarReader } from '../unpack/tar.ts'
import { unpackLayer } from '../unpack/unpack.ts'
import { chainIds, type Descriptor } from './manifest.ts'
import type { OpenImage } from './source.ts'
import { verified } from './source.ts'

const DOWNLOADS = 3 // at the same time, as docker does
const TELL_MS = 100 // between two reports of one layer

export interface PullInput {
  readonly paths: Paths
  readonly init: LayerInit
  readonly image: OpenImage
  /** The full name. */
  readonly reference: string
  tell(event: WorkerEvent): void
  /** Deletes a folder of the store, including files of other ids. */
  discard(folder: string): Promise<void>
}

interface Layer {
  readonly id: string
  readonly descriptor: Descriptor
  readonly chain: string
  readonly diffId: string
}

export const shortId = (digest: string): string => hexOf(digest).slice(0, 12)

class Semaphore {
  #free: number
  readonly #waiting: (() => void)[] = []
  constructor(free: number) {
    this.#free = free
  }
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

/** Raises E_IMAGE, E_DISK_FULL; layers that are complete by then stay. */
export async function pullImage(input: PullInput): Promise<ImageRecord> {
  const { paths, init, image, tell, reference } = input
  const chain = chainIds(image.config.diffIds)
  const layers = image.layers.map(
    (descriptor, index): Layer => ({
      id: shortId(descriptor.digest),
      descriptor,
      chain: chain[index] ?? '',
      diffId: image.config.diffIds[index] ?? '',
    }),
  )
  tell({ event: 'layers', layers: layers.map(({ id, descriptor }) => ({ id, size: descriptor.size })) })
  const downloads = new Semaphore(DOWNLOADS)
  const streams = new Map<Layer, Promise<AsyncIterable<Uint8Array>>>()
  for (const layer of layers) {
    if (hasLayer(paths, init.ids, layer.chain)) continue
    const stream = downloads.run(() => image.open(layer.descriptor, reporter(tell, layer, 'downloading')))
    stream.catch(() => {}) // awaited when its turn comes
    streams.set(layer, stream)
  }
  const make = async (layer: Layer): Promise<void> => {
    const open = (): Promise<AsyncIterable<Uint8Array>> => {
      const stream = streams.get(layer)
      streams.delete(layer) // it can be read once
      return stream ?? image.open(layer.descriptor, reporter(tell, layer, 'downloading'))
    }
    const waiting = (): void => tell({ event: 'layer', id: layer.id, phase: 'waiting', done: 0 })
    await withLock(paths, `layer-${hexOf(layer.chain)}`, waiting, async () => {
      const there = hasLayer(paths, init.ids, layer.chain)
      if (!there) await makeLayer(input, layer, layers, await open())
      tell({ event: 'layer', id: layer.id, phase: there ? 'there' : 'done', done: layer.descriptor.size })
    })
  }
  for (const layer of layers) await make(layer)
  // A removal of images that runs at the same time may have seen these layers as unused, and removed them.
  for (const layer of layers) if (!hasLayer(paths, init.ids, layer.chain)) await make(layer)
  const record: ImageRecord = {
    reference,
    digest: image.digest,
    config: image.config,
    layers: chain,
    size: layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    pulled: Date.now(),
  }
  writeRecord(paths, record)
  return record
}

function reporter(
  tell: PullInput['tell'],
  layer: Layer,
  phase: 'downloading' | 'unpacking',
): (done: number) => void {
  let last = 0
  return (done) => {
    const now = performance.now()
    if (now - last < TELL_MS && done < layer.descriptor.size) return
    last = now
    tell({ event: 'layer', id: layer.id, phase, done })
  }
}

const FOLDER = constants.O_DIRECTORY | constants.O_NOFOLLOW

async function makeLayer(
  input: PullInput,
  layer: Layer,
  layers: readonly Layer[],
  stream: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { paths, init, tell } = input
  const fresh = join(layersDir(paths, init.ids), `.tmp-${hexOf(layer.chain)}`)
  const descriptors: number[] = []
  try {
    await input.discard(fresh) // its maker is dead, because we have the lock
    mkdirSync(layerFiles(fresh), { recursive: true, mode: 0o755 })
    if (init.ids.kind === 'root')
      chownSync(layerFiles(fresh), hostIdOfRoot(init.ids.uids), hostIdOfRoot(init.ids.gids))
    const open = (folder: string, how: number = k.O_PATH): number => {
      // O_PATH does not read the folder: the root of an image may be unreadable for us.
      const fd = openSync(layerFiles(folder), FOLDER | how)
      descriptors.push(fd)
      return fd
    }
    await enterFolder(init.channel, open(fresh, constants.O_RDONLY))
    const below = layers.slice(0, layers.indexOf(layer)).toReversed()
    const what = `the layer ${layer.id}`
    const packed = counted(stream, reporter(tell, layer, 'unpacking'))
    const tar = new TarReader(verified(decompressed(packed, what), layer.diffId, what))
    let owners = ''
    const keep = (): void => {
      if (owners) appendFileSync(join(fresh, 'owners.jsonl'), owners, { mode: 0o600 })
      owners = ''
    }
    try {
      const { entries, bytes } = await unpackLayer(tar, {
        channel: init.channel,
        ids: init.ids,
        below: below.map(({ chain }) => open(layerDir(paths, init.ids, chain))),
        warn: (text) => tell({ event: 'warning', text: `${what}: ${text}` }),
        owner: (path, uid, gid) => {
          owners += `${JSON.stringify({ path: Buffer.from(path, 'latin1').toString('utf8'), uid, gid })}\n`
          if (owners.length > 1 << 16) keep()
        },
      })
      keep()
      const record: LayerRecord = { diffId: layer.diffId, entries, bytes }
      writeAtomically(join(fresh, 'layer.json'), printLayer(record), { sync: true })
    } finally {
      await tar.close().catch(() => {})
    }
    markUnsynced(fresh)
    const there = layerDir(paths, init.ids, layer.chain)
    await input.discard(there) // a layer damaged by a power cut
    renameSync(fresh, there)
  } catch (error) {
    await input.discard(fresh).catch(() => {})
    throw diskError(error, `the image ${input.reference} in ${paths.dataDir}`)
  } finally {
    for (const fd of descriptors) closeSync(fd)
  }
}

async function* counted(
  stream: AsyncIterable<Uint8Array>,
  progress: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0
  for await (const piece of stream) {
    done += piece.length
    progress(done)
    yield piece
  }
}
