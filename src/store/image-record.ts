/** What is known of an image by its name (src/store/images.ts). */
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

export interface ImageRecord {
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
