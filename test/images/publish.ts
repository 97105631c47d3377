/** Pushes images that skopeo would change: layers that are uncompressed, or compressed in an unusual way. */
import { gunzipSync } from 'node:zlib'
import { blobsOf } from './support.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const TAR = 'application/vnd.oci.image.layer.v1.tar'

export interface Blob {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`

async function expectCreated(response: Response): Promise<void> {
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
}

async function pushBlob(base: string, bytes: Uint8Array): Promise<void> {
  const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(begun.headers.get('location') ?? '', base)
  place.searchParams.set('digest', sha256(bytes))
  const headers = { 'content-type': 'application/octet-stream' }
  await expectCreated(await fetch(place, { method: 'PUT', body: bytes, headers }))
}

/** Pushes any manifest or index unchanged. Returns its digest. */
export async function pushManifest(
  host: string,
  name: string,
  tag: string,
  manifest: object,
  type = MANIFEST,
): Promise<string> {
  const body = JSON.stringify(manifest)
  const address = `http://${host}/v2/${name}/manifests/${tag}`
  await expectCreated(await fetch(address, { method: 'PUT', body, headers: { 'content-type': type } }))
  return sha256(Buffer.from(body))
}

/** Makes an image of these blobs. */
export async function publish(
  host: string,
  name: string,
  tag: string,
  config: object,
  layers: readonly Blob[],
): Promise<void> {
  const base = `http://${host}/v2/${name}`
  const configBytes = Buffer.from(JSON.stringify(config))
  for (const bytes of [configBytes, ...layers.map((layer) => layer.bytes)]) await pushBlob(base, bytes)
  const describe = ({ mediaType, bytes }: Blob) => ({ mediaType, digest: sha256(bytes), size: bytes.length })
  await pushManifest(host, name, tag, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe({ mediaType: 'application/vnd.oci.image.config.v1+json', bytes: configBytes }),
    layers: layers.map(describe),
  })
}

/** The image of a layout with its layers as plain archives. */
export async function publishPlain(host: string, image: string, name: string, tag: string): Promise<void> {
  const { manifest, blob } = blobsOf(image)
  const { config, layers } = JSON.parse(manifest.toString()) as {
    config: { digest: string }
    layers: { digest: string }[]
  }
  await publish(
    host,
    name,
    tag,
    JSON.parse(blob(config.digest).toString()) as object,
    layers.map(({ digest }) => ({ mediaType: TAR, bytes: gunzipSync(blob(digest)) })),
  )
}
