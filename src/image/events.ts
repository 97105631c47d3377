/** What the worker tells while it pulls: lines of JSON on its stdout. Both sides are this executable. */
import type { ConfigOverrides } from '../config/load.ts'
import type { ErrorJson } from '../core/errors.ts'

export type Phase = 'waiting' | 'downloading' | 'unpacking' | 'done' | 'there'

export type WorkerEvent =
  | { readonly event: 'layers'; readonly layers: readonly { readonly id: string; readonly size: number }[] }
  /** Bytes of the layer as it is downloaded. */
  | { readonly event: 'layer'; readonly id: string; readonly phase: Phase; readonly done: number }
  /** Of a build: a step begins, or is known already. */
  | {
      readonly event: 'step'
      readonly number: number
      readonly of: number
      readonly text: string
      readonly cached: boolean
    }
  | { readonly event: 'output'; readonly text: string }
  | { readonly event: 'warning'; readonly text: string }
  /** Why something of the network is tried again. */
  | { readonly event: 'retry'; readonly text: string }
  | { readonly event: 'result'; readonly value: unknown }
  | { readonly event: 'error'; readonly error: ErrorJson }

export interface BuildRequest {
  readonly workspace: string
  readonly environment: Readonly<Record<string, string>>
  readonly overrides: ConfigOverrides
  /** Run every step again. */
  readonly noCache: boolean
  /** Ask the registry again for the image. */
  readonly pull: boolean
}

export type WorkerRequest =
  | { readonly do: 'pull'; readonly reference: string }
  | { readonly do: 'build'; readonly build: BuildRequest }
  | { readonly do: 'clean'; readonly downloads: boolean }
  | { readonly do: 'prune' }
  | { readonly do: 'remove-volumes'; readonly names: readonly string[] }
  | { readonly do: 'remove'; readonly references: readonly string[]; readonly force: boolean }
