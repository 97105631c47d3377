/** Packs executables. What packs them is a part of Bun, whose version is fixed: the bytes are the same everywhere. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip as gzipCompress, zstdCompress } from 'node:zlib'
import { archiveName, type FileFacts, type Packing } from '../../src/release/manifest.ts'

export const DEFAULT_LEVEL = 19

export const digest = (bytes: Uint8Array): FileFacts => ({
  size: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
})

const zstd = promisify(zstdCompress)
const gzip = promisify(gzipCompress)

const pack = {
  zstd: (bytes: Uint8Array, level: number) =>
    zstd(bytes, {
      params: {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_checksumFlag]: 1, // a reader without the manifest notices damage, too
      },
    }),
  // Its header has neither a name nor a time (RFC 1952): only the content decides about the bytes.
  gzip: (bytes: Uint8Array, level: number) => gzip(bytes, { level: Math.min(level, 9) }),
}

export async function packInto(
  folder: string,
  executable: Uint8Array,
  version: string,
  target: string,
  packing: Packing,
  level: number,
): Promise<{ readonly name: string; readonly facts: FileFacts }> {
  const name = archiveName(version, target, packing)
  const packed = await pack[packing](executable, level)
  writeFileSync(join(folder, name), packed)
  return { name, facts: digest(packed) }
}
