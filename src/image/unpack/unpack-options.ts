/** Options and results of unpacking a layer. */
import type { Channel } from '../../../ffi/channel.ts'
import type { IdPlan } from '../../sandbox/ids.ts'

export interface UnpackLimits {
  readonly entries: number
  readonly bytes: number
}

export const UNPACK_LIMITS: UnpackLimits = {
  entries: 1_000_000, // in one layer; the largest images in use have a third of that
  bytes: 128 * 2 ** 30, // unpacked, without holes: far above any image in use, and the end of a decompression bomb
}

export interface UnpackOptions {
  readonly channel: Channel
  readonly ids: IdPlan
  /** Folders of the layers below, topmost first: descriptors of this process. */
  readonly below: readonly number[]
  readonly limits?: UnpackLimits
  /** Reports a deviation from the layer; each kind is reported only a few times. */
  warn(sentence: string): void
  /** Records an owner that the layer names and nobody has here, as a line of JSON. */
  owner(path: string, uid: number, gid: number): void
}

export interface Unpacked {
  readonly entries: number
  /** Bytes of files. */
  readonly bytes: number
}
