/** Images that no tool would make, and a folder of the host that they attack. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Scratch } from '../harness/sandbox.ts'

const sha = (bytes: Uint8Array): string =>
  `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`

/** An OCI layout of the invoker's with raw layers; no tool would make some of these. */
export function image(t: Scratch, layers: readonly Uint8Array[]): string {
  const path = t.folder('hostile')
  const blob = (value: unknown) => {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value))
    t.write(join(path, 'blobs', sha(bytes).replace(':', '/')), bytes)
    return { digest: sha(bytes), size: bytes.length }
  }
  const config = blob({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: layers.map(sha) },
  })
  const manifest = blob({
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: layers.map((layer) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      ...blob(gzipSync(layer, { level: 1 })),
    })),
  })
  t.write(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  t.write(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
  return `oci:${path}`
}

/** A folder beside coop's own that the layers attack. */
export function outside(t: Scratch): { folder: string; list: () => string } {
  const folder = t.folder('outside')
  t.write(join(folder, 'file'), 'untouched')
  const list = () =>
    readdirSync(folder)
      .map(
        (name) =>
          `${name} ${lstatSync(join(folder, name)).mode} ${lstatSync(join(folder, name)).nlink} ${readFileSync(join(folder, name), 'utf8')}`,
      )
      .join('\n')
  return { folder, list }
}
