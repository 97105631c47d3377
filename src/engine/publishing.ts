/** `coop image publish`: saves a box's or a snapshot's own files as a named image, as a layer on top of their image. */
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Box } from '../box/box.ts'
import { CoopError } from '../core/errors.ts'
import { imagesDir, snapshotDir, upperDir } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { hostPlatform, type ImageConfig } from '../image/pull/manifest.ts'
import { imageBelow } from '../plan/image-layers.ts'
import type { Published } from '../protocol/calls/images.ts'
import type { Request } from '../protocol/calls.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import {
  hasLayer,
  hexOf,
  type ImageOrigin,
  layerDir,
  layerFiles,
  layersDir,
  listRecords,
  printLayer,
  readRecord,
  withLock,
  writeRecord,
} from '../store/images.ts'
import { findSnapshots, type ImageBelow, type SnapshotMeta, snapshotUpper } from '../store/snapshots.ts'
import { discard, diskError, makeOwned } from '../store/storage.ts'
import { copyTree, syncTree } from '../trees/copier.ts'
import type { Engine } from './engine.ts'
import { asJob } from './job.ts'
import { whileStill } from './still.ts'

/** The files to publish, and their origin. */
interface Origin {
  /** Names the origin for people. */
  readonly of: string
  readonly from: ImageOrigin
  readonly ids: IdPlan
  readonly below: ImageBelow
  /** A folder that holds the upper folder of each overlay of the box. */
  readonly upper: string
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  /** Runs `work` while nobody changes the files. */
  still<T>(work: () => Promise<T>): Promise<T>
}

const MAX_LAYERS = 127 // docker's limit; a box's own files are one more
const MAX_ON_HOST = 16 // layers; each costs a mount for every overlay of the image
const PLAIN: Omit<ImageConfig, 'platform'> = {
  created: '',
  env: [],
  workingDir: '',
  user: '',
  entrypoint: [],
  cmd: [],
  diffIds: [],
}

export class Publishing {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async publish(call: Request<'image.publish'>, signal: AbortSignal): Promise<Published> {
    const origin = this.#origin(call, signal)
    this.#checkBelow(origin)
    this.#checkName(call)
    const job = { box: origin.from.box, job: 'publish', name: call.reference } as const
    return asJob(this.#engine.context.bus, job, () => this.#publish(call, origin))
  }

  async #publish(call: Request<'image.publish'>, origin: Origin): Promise<Published> {
    const { paths, log } = this.#engine.context
    const layer = `sha256:${new Bun.CryptoHasher('sha256').update(`coop image publish ${crypto.randomUUID()}`).digest('hex')}`
    const fresh = join(layersDir(paths, origin.ids), `.tmp-${hexOf(layer)}`)
    const began = performance.now()
    // Clean-up of the store skips locked layers.
    return withLock(
      paths,
      `layer-${hexOf(layer)}`,
      () => {},
      async () => {
        try {
          const size = await this.#layer(origin, fresh)
          this.#checkName(call) // again: another publish may have taken the name
          renameSync(fresh, layerDir(paths, origin.ids, layer))
          this.#record(call.reference, origin, layer, size)
          const { of } = origin
          log('image-published', {
            of,
            reference: call.reference,
            size,
            ms: Math.round(performance.now() - began),
          })
          return { reference: call.reference, of, size }
        } catch (error) {
          discard(paths, fresh)
          this.#engine.clean()
          throw diskError(error, `the image in ${imagesDir(paths)}`)
        }
      },
    )
  }

  /** Copies the files into a layer that has no name yet. Returns its size in bytes. */
  async #layer({ ids, upper, below, signal, still }: Origin, fresh: string): Promise<number> {
    // A layer on `host` holds the folders of all overlays; other layers hold only the root's.
    const source = below.base ? upper : join(upper, 'root')
    mkdirSync(fresh, { recursive: true, mode: 0o711 })
    makeOwned(layerFiles(fresh), ids)
    const { files, bytes } = await still(() =>
      copyTree(this.#engine.context, ids, source, layerFiles(fresh), signal),
    )
    await syncTree(this.#engine.context, ids, fresh)
    writeAtomically(join(fresh, 'layer.json'), printLayer({ diffId: '', entries: files, bytes }), {
      sync: true,
    })
    return bytes
  }

  #record(reference: string, { from, below }: Origin, layer: string, size: number): void {
    const { paths } = this.#engine.context
    const parent = listRecords(paths).find(({ layers }) => layers.join() === below.layers.join())
    writeRecord(paths, {
      reference,
      digest: layer,
      config: {
        ...(parent?.config ?? { ...PLAIN, platform: hostPlatform() }),
        created: new Date().toISOString(),
        diffIds: [],
      },
      layers: [...below.layers, layer],
      size: (parent?.size ?? 0) + size,
      pulled: Date.now(),
      from,
      base: below.base,
    })
  }

  #checkName({ reference, force }: Request<'image.publish'>): void {
    const known = readRecord(this.#engine.context.paths, reference)
    if (known && !force)
      throw new CoopError('E_IMAGE', `there is an image ${reference} already`, {
        hint: 'choose another name, or replace it: --force',
      })
  }

  #checkBelow({ of, ids, below, from }: Origin): void {
    if (!below.base && !below.layers.length)
      throw new CoopError('E_IMAGE', `${of} lies on ${from.image}, a folder that is not coop's`, {
        hint: 'publish a box of the image host or of an OCI image',
      })
    if (below.layers.length >= (below.base ? MAX_ON_HOST : MAX_LAYERS))
      throw new CoopError('E_IMAGE', `${of} has ${below.layers.length} layers below it already`, {
        hint: 'do the same in a box of an image with fewer layers',
      })
    const gone = below.layers.find((layer) => !hasLayer(this.#engine.context.paths, ids, layer))
    if (gone)
      throw new CoopError('E_IMAGE', `the image that ${of} lies on is gone`, {
        hint: `restore the snapshot in a box of today's image, then publish that`,
      })
  }

  /** Finds the box of that name, or else the snapshot. */
  #origin({ source, cwd }: Request<'image.publish'>, signal: AbortSignal): Origin {
    try {
      return this.#ofBox(this.#engine.registry.find({ box: source, cwd }), signal)
    } catch (error) {
      const snapshot = this.#snapshot(source)
      if (!snapshot) throw error
      return this.#ofSnapshot(snapshot, signal)
    }
  }

  #ofBox(box: Box, signal: AbortSignal): Origin {
    const { paths, log } = this.#engine.context
    const { plan } = box.manifest
    return {
      of: `the box ${box.name}`,
      from: { box: box.name, workspace: plan.workspace.source.path, image: plan.image },
      ids: plan.ids,
      below: imageBelow(plan, paths),
      upper: upperDir(paths, box.name),
      signal,
      still: (work) =>
        this.#engine.registry.snapshots.alone(box.name, () => whileStill(box, log, signal, work)),
    }
  }

  #ofSnapshot({ box, name, workspace, image, ids, below }: SnapshotMeta, signal: AbortSignal): Origin {
    return {
      of: `the snapshot ${box}/${name}`,
      from: { box, snapshot: name, workspace, image },
      ids,
      below,
      upper: snapshotUpper(snapshotDir(this.#engine.context.paths, box, name)),
      signal,
      still: (work) => this.#engine.registry.snapshots.alone(box, work),
    }
  }

  /** Finds a snapshot by `BOX/NAME`, or by NAME when only one box has it. */
  #snapshot(source: string): SnapshotMeta | undefined {
    const all = findSnapshots(this.#engine.context.paths)
    const exact = all.find(({ box, name }) => `${box}/${name}` === source)
    const named = all.filter(({ name }) => name === source)
    if (exact || named.length < 2) return exact ?? named[0]
    throw new CoopError('E_USAGE', `several boxes have a snapshot ${source}`, {
      hint: `name one of them: ${named.map(({ box }) => `${box}/${source}`).join(', ')}`,
    })
  }
}
