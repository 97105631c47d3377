/** Downloads a blob of a registry into a file: hashed on arrival, resumable, and never longer than announced. */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { CoopError } from '../../core/errors.ts'
import { spent } from '../../disk/garbage.ts'
import { isDiskFull } from '../../store/storage.ts'
import { pieces, registryError, Temporary } from './http.ts'
import type { Descriptor } from './manifest.ts'
import type { Registry } from './registry.ts'

const BUFFER = 1 << 20 // bytes
const AGAIN_MS = 200 // before an interrupted download is resumed

export interface DownloadOptions {
  /** The number of bytes downloaded so far. */
  progress(done: number): void
}

function hashOf(fd: number, hash: Bun.CryptoHasher, max: number): number {
  const buffer = new Uint8Array(BUFFER)
  let size = 0
  for (
    let n = readSync(fd, buffer, 0, BUFFER, 0);
    n > 0 && size < max;
    n = readSync(fd, buffer, 0, BUFFER, size)
  ) {
    const used = buffer.subarray(0, Math.min(n, max - size))
    hash.update(used)
    size += used.length
  }
  return size
}

/**
 * Downloads into `path`, which may have the first bytes from an earlier attempt; complete when this resolves. Damage by
 * a power cut is found later, when the file is hashed again before use.
 */
export async function download(
  registry: Registry,
  blob: Descriptor,
  path: string,
  options: DownloadOptions,
): Promise<void> {
  const fd = openSync(path, 'a+', 0o600)
  const what = `the layer ${blob.digest.slice(0, 19)}`
  try {
    let hash = new Bun.CryptoHasher('sha256')
    let done = hashOf(fd, hash, blob.size)
    ftruncateSync(fd, done) // a file longer than announced is cut
    let resumed = done > 0
    const restart = (): void => {
      ftruncateSync(fd, 0)
      hash = new Bun.CryptoHasher('sha256')
      done = 0
      resumed = false
    }
    for (;;) {
      const before = done
      try {
        await registry.http.retry(`downloading ${what}`, async () => {
          if (done === blob.size && done > 0) return
          const start = done
          try {
            await once()
          } catch (error) {
            // As long as bytes arrive the connection is bad, not dead, so the count of attempts starts again.
            if (error instanceof Temporary && done > start) throw new Progressed(error)
            throw error
          }
        })
        if (hash.digest('hex') === blob.digest.slice('sha256:'.length)) break
        // The bytes of an earlier attempt may be at fault: after a power cut some were never written.
        const isLie = !resumed
        restart()
        if (isLie)
          throw registryError(
            `${registry.name} sent wrong data for ${what}: the digest is wrong`,
            'try again; if the error stays, the registry is broken or hostile',
          )
      } catch (error) {
        if (!(error instanceof Progressed) || done <= before) throw error
        await Bun.sleep(AGAIN_MS)
      }
    }

    async function once(): Promise<void> {
      const response = await registry.blob(blob.digest, done)
      const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')
      if (response.status === 416 || (response.status === 206 && Number(range?.[1]) !== done)) {
        await response.body?.cancel()
        restart()
        throw new Temporary(`${registry.name} does not continue ${what}`, 0)
      }
      if (response.status === 200 && done > 0) restart() // the registry does not support ranges
      for await (const piece of pieces(response, what)) {
        if (done + piece.length > blob.size) {
          restart()
          throw registryError(
            `${registry.name} sends more of ${what} than its ${blob.size} bytes`,
            'do not use this registry: it is broken or hostile',
          )
        }
        for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at)
        hash.update(piece)
        done += piece.length
        options.progress(done)
        spent(piece.length)
      }
      if (done < blob.size) throw new Temporary(`${registry.name} sent ${done} of ${blob.size} bytes`)
    }
  } catch (error) {
    throw isDiskFull(error)
      ? new CoopError('E_DISK_FULL', `no space is left for the download of ${what} in ${dirname(path)}`, {
          hint: 'free space (coop system clean --all), or set COOP_CACHE_DIR to a folder on a larger disk',
          cause: error,
        })
      : error
  } finally {
    closeSync(fd)
  }
}

class Progressed extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}
