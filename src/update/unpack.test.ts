import { describe, expect, test } from 'bun:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { unpack } from './unpack.ts'

const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 5))
const facts = { size: content.length, sha256: new Bun.CryptoHasher('sha256').update(content).digest('hex') }
const packings = [
  { packing: 'zstd', pack: (bytes: Uint8Array) => zstdCompressSync(bytes) },
  { packing: 'gzip', pack: (bytes: Uint8Array) => gzipSync(bytes) },
] as const

async function all(archive: Uint8Array, packing: 'zstd' | 'gzip', expected = facts): Promise<Buffer> {
  const parts: Uint8Array[] = []
  await unpack(archive, packing, expected, (piece) => parts.push(piece))
  return Buffer.concat(parts)
}
const failure = (...args: Parameters<typeof all>): Promise<string> =>
  all(...args).then(
    () => 'none',
    (error) => `${error.code}: ${error.message}`,
  )

describe.each(packings)('$packing', ({ packing, pack }) => {
  test('is unpacked', async () => {
    expect((await all(pack(content), packing)).equals(content)).toBe(true)
  })

  test('another content is refused, of the same size, shorter and longer', async () => {
    const other = Buffer.from(content)
    other[0] = 1 ^ (other[0] ?? 0)
    const another = 'E_RELEASE: the archive of the release holds another program than the release says'
    expect(await failure(pack(other), packing)).toBe(another)
    expect(await failure(pack(content.subarray(1)), packing)).toBe(another)
    expect(await failure(pack(Buffer.concat([content, content])), packing)).toBe(
      `E_RELEASE: the archive of the release is larger than its ${facts.size} bytes`,
    )
  })

  test('a bomb ends at the promised size', async () => {
    let seen = 0
    const bomb = pack(Buffer.alloc(200_000_000))
    const write = (piece: Uint8Array) => {
      seen += piece.length
    }
    await expect(unpack(bomb, packing, { ...facts, size: 1_000_000 }, write)).rejects.toThrow(
      /larger than its 1000000/,
    )
    expect(seen).toBeLessThanOrEqual(1_000_000)
  })

  test('what goes wrong with writing is what is raised', async () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const write = () => {
      throw full
    }
    await expect(unpack(pack(content), packing, facts, write)).rejects.toBe(full)
  })

  test('a part, other bytes and nothing at all are refused', async () => {
    const packed = pack(content)
    for (const bytes of [packed.subarray(0, -20), Buffer.from('#!/bin/sh\n'), Buffer.alloc(0)])
      expect(await failure(bytes, packing)).toMatch(/^E_RELEASE: the archive of the release /)
  })
})
