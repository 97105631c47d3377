/**
 * Calls of the worker, the process that makes and removes images. It reads one request on its stdin and writes lines of
 * JSON to its stdout: events first, and one reply or error at the end.
 */
import type { ErrorJson } from '../core/errors.ts'
import { call, type NameIn, type ReplyIn, type RequestIn } from './shapes/call.ts'
import { flag, integer, list, literal, type Of, object, optional, text } from './shapes/shapes.ts'
import { environment, time } from './shapes/values.ts'

const count = integer(0, Number.MAX_SAFE_INTEGER)
const reference = text()
const words = list(text(1 << 20))

const platform = object({ os: text(), architecture: text(), variant: optional(text()) })

/** An image and its record. */
const image = object({
  reference,
  digest: text(),
  config: object({
    platform,
    created: optional(text()),
    env: words,
    workingDir: text(),
    user: text(),
    entrypoint: words,
    cmd: words,
    diffIds: list(text()),
  }),
  layers: list(text()),
  size: count,
  pulled: time,
  from: optional(object({ box: text(), snapshot: optional(text()), workspace: text(), image: text() })),
  built: optional(object({ image: text(), workspaces: list(text()) })),
  base: optional(literal('host')),
})

const removed = object({
  references: list(reference),
  layers: count,
  /** Bytes of the files of those layers. */
  bytes: count,
})
export type Removed = Of<typeof removed>

const built = object({ reference, steps: count, cached: count })
export type Built = Of<typeof built>

const buildRequest = object({
  workspace: text(),
  environment,
  overrides: object({
    image: optional(text()),
    network: optional(text()),
  }),
  /** Runs every step again. */
  noCache: flag,
  /** Asks the registry for the image again. */
  pull: flag,
})
export type BuildRequest = Of<typeof buildRequest>

export const WORKER_CALLS = {
  'image.pull': call('Downloads an image and unpacks it.', object({ reference }), image),
  'image.build': call('Pulls the image of a project and runs its setup steps.', buildRequest, built),
  'image.remove': call(
    'Removes images, and layers that nothing else needs. `force`: also images that a box uses.',
    object({ references: list(reference), force: flag }),
    removed,
  ),
  'image.clean': call(
    'Removes images that no box uses. `downloads`: also what was downloaded.',
    object({ downloads: flag }),
    removed,
  ),
  'volume.remove': call('Removes volumes.', object({ names: list(text()) }), removed),
  'system.prune': call(
    'Removes every image, volume and snapshot, and what was downloaded.',
    object({}),
    object({ images: count, volumes: count, snapshots: count, bytes: count }),
  ),
} as const

export type WorkerCallName = NameIn<typeof WORKER_CALLS>
export type WorkerRequest<N extends WorkerCallName> = RequestIn<typeof WORKER_CALLS, N>
export type WorkerReply<N extends WorkerCallName> = ReplyIn<typeof WORKER_CALLS, N>

export type Phase = 'waiting' | 'downloading' | 'unpacking' | 'done' | 'there'

/** Events of the worker while it works. */
export type WorkerEvent =
  | { readonly event: 'layers'; readonly layers: readonly { readonly id: string; readonly size: number }[] }
  /** `done` counts bytes of the layer as it is downloaded. */
  | { readonly event: 'layer'; readonly id: string; readonly phase: Phase; readonly done: number }
  /** A step of a build begins, or was built before. */
  | {
      readonly event: 'step'
      readonly number: number
      readonly of: number
      readonly text: string
      readonly cached: boolean
    }
  | { readonly event: 'output'; readonly text: string }
  | { readonly event: 'warning'; readonly text: string }
  /** Why a download is tried again. */
  | { readonly event: 'retry'; readonly text: string }

/** One line of the worker's output. */
export type WorkerLine =
  | WorkerEvent
  | { readonly event: 'reply'; readonly value: unknown }
  | { readonly event: 'error'; readonly error: ErrorJson }
