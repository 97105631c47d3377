/** Decompresses stored layers to tar: gzip, zstd or plain. The first bytes decide, not the media type. */
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { badImage } from '../json.ts'

export type Compression = 'gzip' | 'zstd' | 'none'

const CHUNK = 256 * 1024 // bytes; larger chunks exceed the processor's cache and are slower (measured)
const MAGIC = 4 // bytes

/** By magic number (RFC 1952, RFC 8878). zstd:chunked files may start with a skippable frame. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd'
  if (
    head[0] !== undefined &&
    (head[0] & 0xf0) === 0x50 &&
    head[1] === 0x2a &&
    head[2] === 0x4d &&
    head[3] === 0x18
  )
    return 'zstd'
  return 'none'
}

async function* joined(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* first
    for (;;) {
      const next = await rest.next()
      if (next.done) return
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

/** The uncompressed bytes, in constant memory. Raises E_IMAGE for damaged data, and passes on errors of the source. */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let length = 0
  while (length < MAGIC) {
    const next = await iterator.next()
    if (next.done) break
    head.push(next.value)
    length += next.value.length
  }
  const compression = compressionOf(Buffer.concat(head).subarray(0, MAGIC))
  const input = joined(head, iterator)
  if (compression === 'none') {
    yield* input
    return
  }
  const transform =
    compression === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createZstdDecompress({ chunkSize: CHUNK })
  let failure: unknown
  const readable = Readable.from(input, { objectMode: false, highWaterMark: CHUNK })
  readable.on('error', (error) => {
    failure = error
    transform.destroy(error)
  })
  try {
    for await (const chunk of readable.pipe(transform)) yield chunk as Uint8Array
  } catch (error) {
    throw failure ?? badImage(`${what} is damaged: its ${compression} data ends early or is wrong`, error)
  } finally {
    readable.destroy()
    transform.destroy()
  }
}
