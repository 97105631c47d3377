/** A blob of a registry into a file: hashed as it comes, continued where it broke off, never more than was announced. */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { CoopError } from '../../core/errors.ts'
import { spent } from '../../disk/garbage.ts'
import { isDiskFull } from '../../store/storage.ts'
import { pieces, registryError, Temporary } from './http.ts'
import type { Descriptor } from './manifest.ts'
import type { Registry } from './registry.ts'

const BUFFER = 1 << 20 // bytes
const AGAIN_MS = 200 // before a download that broke off goes on

export interface DownloadOptions {
  /** Bytes that are there so far. */
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

/** Into `path`, which may have the first bytes from an earlier try; whole when this resolves. What a power cut takes of it
 * is found when it is hashed again, before it is used. */
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
    ftruncateSync(fd, done) // of something longer than announced nothing may stay behind
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
            // As long as something comes the line is bad, not dead: the attempts start anew.
            if (error instanceof Temporary && done > start) throw new Progressed(error)
            throw error
          }
        })
        if (hash.digest('hex') === blob.digest.slice('sha256:'.length)) break
        // The bytes of an earlier try may be what is wrong: a power cut leaves some that were never written.
        const isLie = !resumed
        restart()
        if (isLie)
          throw registryError(
            `${registry.name} sent something else than ${what}: the digest is wrong`,
            'try again; if it stays so, the registry is broken or hostile',
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
      if (response.status === 200 && done > 0) restart() // it knows no ranges
      for await (const piece of pieces(response, what)) {
        if (done + piece.length > blob.size) {
          restart()
          throw registryError(
            `${registry.name} sends more of ${what} than its ${blob.size} bytes`,
            'the registry is broken or hostile: do not use it',
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
          hint: 'free some space (coop system clean --all), or set COOP_CACHE_DIR to a folder on a larger disk',
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
