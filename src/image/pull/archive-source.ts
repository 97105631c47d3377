/** Images in folders and archives: the OCI image layout, plain or in a tar, and the format of `docker save`. */

import { accessSync, closeSync, constants, existsSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../core/errno.ts'
import { CoopError } from '../../core/errors.ts'
import { filePieces, openWithoutWaiting } from '../../disk/file-pieces.ts'
import { badImage, list, MAX_JSON, object, parseAnyJson, parseJson, text, texts } from '../json.ts'
import type { Reference } from '../reference.ts'
import { compressionOf } from '../unpack/decompress.ts'
import { layerPath } from '../unpack/layer-path.ts'
import { TarReader } from '../unpack/tar.ts'
import {
  choosePlatform,
  type Descriptor,
  hostPlatform,
  type IndexEntry,
  parseImageConfig,
  parseManifest,
} from './manifest.ts'
import { checkBlob, type OpenImage, sha256, verified } from './source.ts'

/** Reads files by their names in a folder or an archive. */
interface Files {
  /** Raises E_IMAGE if the file is missing or larger than a manifest may be. */
  read(name: string): Uint8Array
  size(name: string): number
  pieces(name: string): AsyncIterable<Uint8Array>
}

const MAGIC = 512 // bytes; the first ones tell the compression
/** The file that identifies each kind of archive. */
const KNOWN_BY = { 'oci-archive': 'oci-layout', 'docker-archive': 'manifest.json' } as const
type ArchiveKind = keyof typeof KNOWN_BY

const MAX_FILES = 100_000 // in an archive; each layer is one file, or three in old archives

/** The error for a path without an image of that kind. */
function missing(kind: string, path: string): CoopError {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat)
    return new CoopError('E_IMAGE', `there is no ${path}`, {
      hint: 'check the path: it is relative to the current folder',
    })
  if (stat.isDirectory() && kind !== 'oci')
    return new CoopError('E_IMAGE', `${path} is a folder, but ${kind}: needs a file`, { hint: `oci:${path}` })
  if (stat.isFile())
    return new CoopError('E_IMAGE', `${path} is a file, but oci: needs a folder`, {
      hint: `use oci-archive:${path}, or docker-archive:${path} for an archive of docker save`,
    })
  return badImage(`${path} is not ${kind === 'oci' ? 'an image: it has no index.json' : 'a file'}`)
}

function readable(path: string): void {
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    throw new CoopError('E_IMAGE', `${path} cannot be read (${errnoOf(error)})`, {
      hint: 'make it readable for you; check with ls -l',
      cause: error,
    })
  }
}

function folder(path: string): Files {
  if (!existsSync(join(path, 'index.json'))) throw missing('oci', path)
  const at = (name: string): string => join(path, name)
  const size = (name: string): number => {
    const stat = statSync(at(name), { throwIfNoEntry: false })
    if (!stat?.isFile()) throw badImage(`${path} has no ${name}`)
    readable(at(name))
    return stat.size
  }
  return {
    size,
    read(name) {
      const bytes = size(name)
      if (bytes > MAX_JSON) throw badImage(`${name} is larger than ${MAX_JSON} bytes`)
      return readFileSlice(at(name), 0, bytes)
    },
    pieces: (name) => filePieces(at(name), 0, size(name)),
  }
}

/** Positions of the files in a tar. Links, which old `docker save` made for equal layers, are resolved. */
async function archive(kind: ArchiveKind, path: string): Promise<Files> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile()) throw missing(kind, path)
  readable(path)
  if (stat.size === 0) throw badImage(`${path} is empty`)
  const compression = compressionOf(readFileSlice(path, 0, Math.min(stat.size, MAGIC)))
  if (compression !== 'none')
    throw new CoopError('E_IMAGE', `${path} is compressed`, {
      hint: `unpack it first: ${compression === 'zstd' ? 'unzstd' : 'gunzip'} ${path}`,
    })
  const places = new Map<string, { start: number; size: number }>()
  const links = new Map<string, string>()
  let read = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of filePieces(path)) {
      read += piece.length
      yield piece
    }
  }
  const tar = new TarReader(counted())
  const first = tar.next().catch((error) => {
    throw badImage(`${path} is not a tar archive`, error)
  })
  for (let entry = await first; entry; entry = await tar.next()) {
    if (places.size + links.size > MAX_FILES) throw badImage(`${path} has more than ${MAX_FILES} files`)
    const name = layerPath(entry.name)
    if (entry.type === 'symlink') links.set(name, layerPath(join('/', name, '..', entry.linkName)))
    else if (entry.type === 'hardlink') links.set(name, layerPath(entry.linkName))
    else if (entry.type === 'file' && !entry.segments)
      places.set(name, { start: read - tar.buffered, size: entry.size })
  }
  const other = kind === 'oci-archive' ? 'docker-archive' : 'oci-archive'
  if (!places.has(KNOWN_BY[kind]) && places.has(KNOWN_BY[other]))
    throw new CoopError('E_IMAGE', `${path} is not of the kind ${kind}`, {
      hint: `use its own kind: ${other}:${path}`,
    })
  const place = (name: string) => {
    const found = places.get(name) ?? places.get(links.get(name) ?? '')
    if (!found) throw badImage(`${path} has no ${name.slice(0, 200)}`)
    return found
  }
  const open = (name: string): AsyncIterable<Uint8Array> =>
    filePieces(path, place(name).start, place(name).size)
  return {
    size: (name) => place(name).size,
    read(name) {
      const { start, size } = place(name)
      if (size > MAX_JSON) throw badImage(`${name} is larger than ${MAX_JSON} bytes`)
      return readFileSlice(path, start, size)
    },
    pieces: open,
  }
}

function readFileSlice(path: string, start: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  const fd = openWithoutWaiting(path)
  try {
    for (let at = 0; at < size; ) {
      const n = readSync(fd, bytes, at, size - at, start + at)
      if (n === 0) throw badImage(`${path} ends early`)
      at += n
    }
  } finally {
    closeSync(fd)
  }
  return bytes
}

function choose(entries: readonly IndexEntry[], name: string | undefined, where: string): IndexEntry {
  const named = name === undefined ? entries : entries.filter((entry) => entry.name === name)
  const names = entries.flatMap((entry) => entry.name ?? [])
  if (!named.length)
    throw new CoopError('E_IMAGE', `${where} has no image named ${name}`, {
      hint: names.length ? `name one of ${names.join(', ')}` : 'leave the name out: the only image has none',
    })
  if (new Set(named.map((entry) => entry.name)).size > 1)
    throw new CoopError('E_IMAGE', `${where} has several images`, {
      hint: `name one of ${names.join(', ')}, for example ${where}:${names[0]}`,
    })
  return named.length === 1 && named[0] ? named[0] : choosePlatform(named, hostPlatform())
}

const blobName = ({ digest }: Descriptor): string => `blobs/${digest.replace(':', '/')}`

function openLayout(files: Files, name: string | undefined, where: string): OpenImage {
  parseJson(files.read('oci-layout'), 'oci-layout')
  parseJson(files.read('index.json'), 'index.json')
  const index = parseManifest(files.read('index.json'))
  if (index.kind !== 'index') throw badImage('index.json is not an index')
  let chosen = choose(index.manifests, name, where)
  for (let depth = 0; depth < 4; depth++) {
    const bytes = checkBlob(files.read(blobName(chosen)), chosen, 'the manifest')
    const manifest = parseManifest(bytes)
    if (manifest.kind === 'image') {
      const config = checkBlob(files.read(blobName(manifest.config)), manifest.config, 'the configuration')
      return {
        digest: chosen.digest,
        config: parseImageConfig(config, manifest.layers.length),
        layers: manifest.layers,
        open: async (layer) =>
          verified(files.pieces(blobName(layer)), layer.digest, `the layer ${layer.digest.slice(7, 19)}`),
      }
    }
    chosen = choosePlatform(manifest.manifests, hostPlatform())
  }
  throw badImage('the index contains only indexes')
}

const MAX_SAVED = 1000 // images of one archive

function openSaved(files: Files, name: string | undefined, where: string): OpenImage {
  const saved = parseAnyJson(files.read('manifest.json'), 'manifest.json')
  const images = list(saved, 'manifest.json', MAX_SAVED).map((item) => object(item, 'manifest.json'))
  const wanted = name === undefined || name.includes(':') ? name : `${name}:latest`
  const found =
    wanted === undefined
      ? images
      : images.filter((image) => texts(image.RepoTags, 'RepoTags', MAX_SAVED).includes(wanted))
  const [image] = found
  if (!image || found.length > 1) {
    const names = images.flatMap((one) => texts(one.RepoTags, 'RepoTags', MAX_SAVED))
    throw new CoopError('E_IMAGE', `${where} has ${image ? 'several images' : `no image named ${name}`}`, {
      hint: names.length ? `name one of ${names.join(', ')}` : 'leave the name out: the only image has none',
    })
  }
  const paths = texts(image.Layers, 'Layers', 512).map(layerPath)
  const bytes = files.read(layerPath(text(image.Config, 'Config')))
  const config = parseImageConfig(bytes, paths.length)
  const layers = paths.map(
    (path, index): Descriptor => ({
      mediaType: '',
      digest: config.diffIds[index] ?? '',
      size: files.size(path),
    }),
  )
  // Only the diff ids describe the layers; unpacking checks them.
  return {
    digest: sha256(bytes),
    config,
    layers,
    open: async (layer) => files.pieces(paths[layers.indexOf(layer)] ?? ''),
  }
}

/** Raises E_IMAGE. */
export async function openArchive(
  reference: Extract<Reference, { kind: 'oci' | 'oci-archive' | 'docker-archive' }>,
): Promise<OpenImage> {
  const { kind, path, name } = reference
  const where = `${kind}:${path}`
  if (kind === 'oci') return openLayout(folder(path), name, where)
  const files = await archive(kind, path)
  return kind === 'oci-archive' ? openLayout(files, name, where) : openSaved(files, name, where)
}
