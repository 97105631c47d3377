import { describe, expect, test } from 'bun:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { CoopError } from '../../core/errors.ts'
import { compressionOf, decompressed } from './decompress.ts'
import { inPieces, random } from './testing.ts'

const plain = Buffer.from('a layer of an image '.repeat(50_000))
const packed: Record<string, Buffer> = {
  gzip: gzipSync(plain),
  zstd: zstdCompressSync(plain),
  none: plain,
}

async function read(bytes: Uint8Array, piece = 4096): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of decompressed(inPieces(bytes, piece), 'the layer')) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

describe('by the first bytes', () => {
  for (const [name, bytes] of Object.entries(packed))
    test(name, async () => {
      expect<string>(compressionOf(bytes)).toBe(name)
      for (const piece of [1, 1000, 10_000_000]) {
        if (piece === 1 && name === 'none') continue
        expect((await read(bytes, piece)).equals(plain)).toBe(true)
      }
    })
  for (const name of ['gzip', 'zstd'])
    test(`${name} in several members`, async () => {
      const bytes = packed[name] ?? plain
      expect((await read(Buffer.concat([bytes, bytes]))).equals(Buffer.concat([plain, plain]))).toBe(true)
    })
})

test('nothing is nothing', async () => {
  expect(await read(Buffer.alloc(0))).toHaveLength(0)
})

// The runtime does not report this for zstd; there the digest of the output detects it.
test('gzip data that is cut off is an error', async () => {
  const bytes = packed.gzip ?? plain
  expect(read(bytes.subarray(0, bytes.length - 9))).rejects.toThrow(/the layer is damaged/)
})

test('an error of the source gets through', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield packed.gzip?.subarray(0, 500) ?? plain
    throw new CoopError('E_IMAGE', 'the line is dead')
  }
  const all = (async () => {
    for await (const _ of decompressed(failing(), 'the layer'));
  })()
  expect(all).rejects.toThrow('the line is dead')
})

test('damaged data of any kind ends in an error of coop or not at all', async () => {
  const below = random(7)
  const end = performance.now() + 2000
  const small = Buffer.from('some text '.repeat(500))
  const seeds = [gzipSync(small), zstdCompressSync(small)]
  for (let round = 0; round < 600 && performance.now() < end; round++) {
    const bytes = Buffer.from(seeds[round % 2] ?? '')
    for (let i = 0; i < 3; i++) bytes[4 + below(bytes.length - 4)] = below(256)
    try {
      await read(bytes, 100)
    } catch (error) {
      if (!(error instanceof CoopError)) throw error
    }
  }
})
