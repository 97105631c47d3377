/** The source of an image: everything that pulling needs from a registry, a folder or an archive. */
import { badImage } from '../json.ts'
import type { Descriptor, ImageConfig } from './manifest.ts'

export interface OpenImage {
  /** The digest of the manifest for this machine's platform. */
  readonly digest: string
  readonly config: ImageConfig
  /** Lowest first. */
  readonly layers: readonly Descriptor[]
  /** A layer's stored bytes, once they are on this machine; compared with their digest while they are read. */
  open(layer: Descriptor, progress: (done: number) => void): Promise<AsyncIterable<Uint8Array>>
}

export const sha256 = (bytes: Uint8Array): string =>
  `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`

/** Passes the bytes on and raises an error at the end unless they match the digest. */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  digest: string,
  what: string,
  progress: (done: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const hash = new Bun.CryptoHasher('sha256')
  let done = 0
  for await (const piece of source) {
    hash.update(piece)
    done += piece.length
    progress(done)
    yield piece
  }
  if (`sha256:${hash.digest('hex')}` !== digest) throw badImage(`${what} does not match its digest`)
}

/** A small blob that must match its descriptor. */
export function checkBlob(bytes: Uint8Array, { digest, size }: Descriptor, what: string): Uint8Array {
  if (bytes.length !== size || sha256(bytes) !== digest) throw badImage(`${what} does not match its digest`)
  return bytes
}
