/** The record of an image, found by its name (src/store/images.ts). */
import { type Fields, isFields, type Kind } from './kind.ts'

export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant: string | undefined
}

export interface ImageConfig {
  readonly platform: Platform
  readonly created: string | undefined
  readonly env: readonly string[]
  readonly workingDir: string
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** Digests of the layers as uncompressed tar, lowest first. */
  readonly diffIds: readonly string[]
}

/** The origin of an image that was made from a box. */
export interface ImageOrigin {
  readonly box: string
  readonly snapshot?: string
  readonly workspace: string
  /** The image from which the box had started, as its configuration names it. */
  readonly image: string
}

/** The purpose of an image made by `coop build`. */
export interface BuildOrigin {
  /** The full name. */
  readonly image: string
  /** All workspaces with the same steps on the same image. */
  readonly workspaces: readonly string[]
}

export interface ImageRecord {
  /** The full name (reference.ts). */
  readonly reference: string
  /** The digest of its manifest; for an image made here, the id of its topmost layer. */
  readonly digest: string
  readonly config: ImageConfig
  /** Chain ids, lowest first (manifest.ts). */
  readonly layers: readonly string[]
  /** Bytes of all layers as downloaded. */
  readonly size: number
  /** Milliseconds since 1970. */
  readonly pulled: number
  /** Set if the image was made here, so that no registry has it. */
  readonly from?: ImageOrigin | undefined
  readonly built?: BuildOrigin | undefined
  /** Set if the layers lie on the `host` image; each layer then has a folder for each of its overlays. */
  readonly base?: 'host' | undefined
}

function parse(fields: Fields): ImageRecord | undefined {
  const record = fields as unknown as ImageRecord
  const whole =
    typeof record.reference === 'string' &&
    typeof record.digest === 'string' &&
    isFields(record.config) &&
    Array.isArray(record.layers) &&
    record.layers.every((layer) => typeof layer === 'string')
  return whole ? record : undefined
}

export const imageRecord: Kind<ImageRecord> = { name: 'image-record', version: 1, migrations: {}, parse }
