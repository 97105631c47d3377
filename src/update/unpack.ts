/** Unpacks an archive of a release: one executable, compressed. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import type { FileFacts, Packing } from '../release/manifest.ts'

const SLICE = 1 << 20 // bytes that are handed to the decompressor at once

const wrong = (problem: string, cause?: unknown): CoopError =>
  new CoopError('E_RELEASE', `the archive of the release ${problem}`, {
    hint: 'nothing was changed; tell whoever publishes the release',
    cause,
  })

/** Writes the executable piece by piece. Raises E_RELEASE when it is not the one that the manifest describes. */
export async function unpack(
  archive: Uint8Array,
  packing: Packing,
  { size, sha256 }: FileFacts,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  const hash = new Bun.CryptoHasher('sha256')
  let done = 0
  const take = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const piece of pieces) {
      done += piece.length
      if (done > size) throw wrong(`is larger than its ${size} bytes`)
      hash.update(piece)
      write(piece)
    }
  }
  try {
    await pipeline(
      Readable.from(slices(archive)),
      packing === 'zstd' ? createZstdDecompress() : createGunzip(),
      take,
    )
  } catch (error) {
    throw isDecompressors(error) ? wrong('cannot be unpacked', error) : error
  }
  if (done !== size || hash.digest('hex') !== sha256)
    throw wrong('holds another program than the release says')
}

/** Codes of zlib and of zstd, as node:zlib has them. */
const isDecompressors = (error: unknown): boolean => /^Z(?:STD)?_|ZLIB|ZSTD/.test(errnoOf(error) ?? '')

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE) yield bytes.subarray(at, at + SLICE)
}
