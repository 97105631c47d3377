/** An image of a registry: gets its manifest by tag or digest, and its layers through the cache folder. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Paths } from '../../core/paths.ts'
import { filePieces } from '../../disk/file-pieces.ts'
import { blobFile, partialFile, withLock } from '../../store/images.ts'
import { badImage, MAX_JSON } from '../json.ts'
import type { RegistryReference } from '../reference.ts'
import { download } from './download.ts'
import { choosePlatform, type Descriptor, hostPlatform, parseImageConfig, parseManifest } from './manifest.ts'
import { Registry, type RegistryOptions } from './registry.ts'
import { checkBlob, type OpenImage, sha256 } from './source.ts'

const MAX_NESTED = 4 // nested indexes

async function isWhole(path: string, digest: string): Promise<boolean> {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const piece of filePieces(path)) hash.update(piece)
  return `sha256:${hash.digest('hex')}` === digest
}

/** Download a blob into the cache unless it is there. Of two processes one downloads, and the other waits. */
async function fetchBlob(
  registry: Registry,
  blob: Descriptor,
  paths: Paths,
  progress: (done: number) => void,
): Promise<string> {
  const path = blobFile(paths, blob.digest)
  const isThere = (): boolean => existsSync(path) && statSync(path).size === blob.size
  if (isThere()) {
    if (await isWhole(path, blob.digest)) return path
    rmSync(path) // the disk lost it: download it again instead of refusing it for ever
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  await withLock(
    paths,
    `blob-${blob.digest.slice(7)}`,
    () => {},
    async () => {
      if (isThere()) return
      const partial = partialFile(paths, blob.digest)
      await download(registry, blob, partial, { progress })
      renameSync(partial, path)
    },
  )
  return path
}

export async function openRegistryImage(
  reference: RegistryReference,
  paths: Paths,
  options: RegistryOptions,
): Promise<OpenImage> {
  const registry = new Registry(reference, options)
  let wanted = reference.digest
  let bytes = await registry.manifest(wanted ?? reference.tag ?? 'latest')
  for (let depth = 0; ; depth++) {
    const digest = sha256(bytes)
    if (wanted !== undefined && digest !== wanted)
      throw badImage(`${registry.name} sent another manifest than ${wanted}`)
    const manifest = parseManifest(bytes)
    if (manifest.kind === 'image') {
      if (manifest.config.size > MAX_JSON) throw badImage('the configuration of the image is too large')
      const file = await fetchBlob(registry, manifest.config, paths, () => {})
      const config = checkBlob(
        new Uint8Array(await Bun.file(file).arrayBuffer()),
        manifest.config,
        'the configuration of the image',
      )
      return {
        digest,
        config: parseImageConfig(config, manifest.layers.length),
        layers: manifest.layers,
        open: async (layer, progress) => filePieces(await fetchBlob(registry, layer, paths, progress)),
      }
    }
    if (depth === MAX_NESTED) throw badImage('the index contains only indexes')
    wanted = choosePlatform(manifest.manifests, hostPlatform()).digest
    bytes = await registry.manifest(wanted)
  }
}
