/** What unpacking a layer is given, and what it says when it is done. */
import type { Channel } from '../../../ffi/channel.ts'
import type { IdPlan } from '../../sandbox/ids.ts'

export interface UnpackLimits {
  readonly entries: number
  readonly bytes: number
}

export const UNPACK_LIMITS: UnpackLimits = {
  entries: 1_000_000, // of one layer; the largest images in use have a third of it
  bytes: 128 * 2 ** 30, // unpacked, holes not counted: no image in use comes near, and a bomb ends there
}

export interface UnpackOptions {
  readonly channel: Channel
  readonly ids: IdPlan
  /** Folders of the layers below, topmost first: descriptors of this process. */
  readonly below: readonly number[]
  readonly limits?: UnpackLimits
  /** What is done differently than the layer says; each kind is told a few times only. */
  warn(sentence: string): void
  /** An owner that the layer names and that nobody has here: a line of JSON to keep. */
  owner(path: string, uid: number, gid: number): void
}

export interface Unpacked {
  readonly entries: number
  /** Bytes of files. */
  readonly bytes: number
}
