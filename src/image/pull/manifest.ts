/**
 * Manifests, indexes and configurations of images: OCI image specification 1.1, and Docker image manifest version 2
 * schema 2, which means the same in other words. This module is the only one that parses them.
 */
import { CoopError } from '../../core/errors.ts'
import type { ImageConfig, Platform } from '../../store/image-record.ts'
import {
  badImage,
  type JsonObject,
  list,
  maybeObject,
  maybeText,
  object,
  parseJson,
  text,
  texts,
} from '../json.ts'
import { isDigest } from '../reference.ts'

export type { ImageConfig, Platform } from '../../store/image-record.ts'

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  /** Bytes, as the manifest states; downloads are compared with it. */
  readonly size: number
}

export type IndexEntry = Descriptor & {
  readonly platform: Platform | undefined
  readonly name: string | undefined
}

export type Manifest =
  | { readonly kind: 'index'; readonly manifests: readonly IndexEntry[] }
  | { readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[] }

const MAX_LAYERS = 128 // docker allows 127; each needs a descriptor in a batch and a layer in an overlay
const MAX_MANIFESTS = 1024 // in an index
const MAX_WORDS = 4096 // in Env or Cmd
const MAX_BLOB = 2 ** 40 // bytes; a larger size is a lie or a mistake

/** The types to ask a registry for, best first. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const

const FOREIGN = /foreign|nondistributable/
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1\.tar(?:\+(?:gzip|zstd))?|docker\.image\.rootfs\.(?:diff|foreign\.diff)\.tar(?:\.(?:gzip|zstd))?)$/

export function parseDescriptor(value: unknown, what: string): Descriptor {
  const fields = object(value, what)
  const digest = text(fields.digest, `the digest of ${what}`)
  const { size } = fields
  if (!isDigest(digest)) throw badImage(`${what} has a digest of an unknown kind: ${digest.slice(0, 80)}`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > MAX_BLOB)
    throw badImage(`${what} has an impossible size`)
  return { mediaType: maybeText(fields.mediaType) ?? '', digest, size }
}

function parsePlatform(value: unknown): Platform | undefined {
  const { os, architecture, variant } = maybeObject(value)
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined
  return { os, architecture, variant: maybeText(variant) }
}

function parseIndex(fields: JsonObject): Manifest {
  const manifests = list(fields.manifests, 'the list of manifests', MAX_MANIFESTS).map((item) => ({
    ...parseDescriptor(item, 'a manifest of the index'),
    platform: parsePlatform(maybeObject(item).platform),
    name: maybeText(maybeObject(maybeObject(item).annotations)['org.opencontainers.image.ref.name']),
  }))
  return { kind: 'index', manifests }
}

/** Raises E_IMAGE. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const fields = parseJson(bytes, 'the manifest')
  if (fields.schemaVersion === 1)
    throw new CoopError(
      'E_IMAGE',
      'the image has a manifest of Docker’s old schema 1, which coop cannot read',
      {
        hint: 'push it again with a current tool: skopeo copy docker://OLD docker://NEW',
      },
    )
  if (fields.schemaVersion !== 2) throw badImage('the manifest has no schemaVersion 2')
  if (fields.manifests !== undefined && fields.layers !== undefined)
    throw badImage('the manifest claims to be both an image and an index') // CVE-2021-41190
  const type = maybeText(fields.mediaType)
  if (type !== undefined && /index|manifest\.list/.test(type) !== (fields.manifests !== undefined))
    throw badImage(`the manifest claims to be ${type} but is not`)
  if (fields.manifests !== undefined) return parseIndex(fields)
  const layers = list(fields.layers, 'the list of layers', MAX_LAYERS).map((item, index) => {
    const layer = parseDescriptor(item, `layer ${index + 1}`)
    if (!LAYER.test(layer.mediaType))
      throw badImage(
        `layer ${index + 1} is not a file system layer but ${layer.mediaType.slice(0, 100) || 'of an unknown type'}`,
      )
    if (FOREIGN.test(layer.mediaType))
      throw badImage(`layer ${index + 1} may not be distributed by registries`)
    return layer
  })
  return { kind: 'image', config: parseDescriptor(fields.config, 'the configuration'), layers }
}

/** Go's name of this machine's architecture, which images use. */
export function hostPlatform(nodeArch: string = process.arch): Platform {
  const architecture = nodeArch === 'x64' ? 'amd64' : nodeArch
  return { os: 'linux', architecture, variant: architecture === 'arm64' ? 'v8' : undefined }
}

/** The image of an index that runs here. Raises E_IMAGE with the available platforms. */
export function choosePlatform(entries: readonly IndexEntry[], wanted: Platform): IndexEntry {
  const fits = entries.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  )
  const [first] = fits
  // amd64/v2 and the like may not run here; an entry without a variant, or with the usual one, does.
  const best =
    fits.find(({ platform }) => platform?.variant === undefined || platform.variant === wanted.variant) ??
    first
  if (best) return best
  const only = entries[0]
  if (entries.length === 1 && only && !only.platform) return only
  const there = [
    ...new Set(
      entries.flatMap(({ platform }) =>
        platform && platform.os !== 'unknown' ? [`${platform.os}/${platform.architecture}`] : [],
      ),
    ),
  ]
  throw new CoopError(
    'E_IMAGE',
    `the image has nothing for ${wanted.os}/${wanted.architecture}, only ${there.join(', ') || 'unknown platforms'}`,
    {
      hint: 'choose an image that supports this machine',
    },
  )
}

/** Raises E_IMAGE. `layers`: the number of layers in the manifest. */
export function parseImageConfig(bytes: Uint8Array, layers: number): ImageConfig {
  const fields = parseJson(bytes, 'the configuration of the image')
  const config = maybeObject(fields.config)
  const diffIds = texts(maybeObject(fields.rootfs).diff_ids, 'the list of diff ids', MAX_LAYERS)
  if (diffIds.length !== layers)
    throw badImage(`the configuration has ${diffIds.length} layers and the manifest ${layers}`)
  if (!diffIds.every(isDigest)) throw badImage('a layer has a diff id of an unknown kind')
  const platform = {
    os: maybeText(fields.os) ?? 'linux',
    architecture: maybeText(fields.architecture) ?? '',
    variant: maybeText(fields.variant),
  }
  if (platform.os !== 'linux') throw badImage(`the image is for ${platform.os.slice(0, 40)}, not for Linux`)
  return {
    platform,
    created: maybeText(fields.created),
    env: texts(config.Env, 'Env', MAX_WORDS).filter((entry) => /^[^=\0]+=[^\0]*$/.test(entry)),
    workingDir: maybeText(config.WorkingDir) ?? '',
    user: maybeText(config.User) ?? '',
    entrypoint: texts(config.Entrypoint, 'Entrypoint', MAX_WORDS),
    cmd: texts(config.Cmd, 'Cmd', MAX_WORDS),
    diffIds,
  }
}

/** Identifies a stack of layers (OCI image specification, config.md, "Layer ChainID"), lowest first. */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(
      below === undefined
        ? diffId
        : `sha256:${new Bun.CryptoHasher('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    )
  }
  return chain
}
