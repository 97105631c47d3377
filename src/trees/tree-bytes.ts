/** The content of files in a copy of a tree: shared with the source if the file system can, otherwise copied. */
import { Batch, type Ref } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { hasHoles, type TreeStat } from './tree-entry.ts'

const FICLONE = 0x4004_9409 // ioctl_ficlone(2)
const SLICE = 256 << 20 // bytes per call: init does nothing else meanwhile, and nobody else needs it
const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4
const ENXIO = -6
const FULL = [-28, -122, -5, -27] // ENOSPC, EDQUOT, EIO, EFBIG: another way of copying would fail, too

export interface OpenFile {
  /** Descriptor numbers in init. */
  readonly from: number
  readonly to: number
  readonly stat: TreeStat
}

function offset(at: number): Uint8Array {
  return new Uint8Array(new BigInt64Array([BigInt(at)]).buffer)
}

export class FileBytes {
  readonly #channel: Channel
  #clones = true
  /** Whether copy_file_range works for these two; some pairs of file systems do not support it. */
  #ranges = true

  constructor(channel: Channel) {
    this.#channel = channel
  }

  async copy(files: readonly OpenFile[]): Promise<void> {
    const full = files.filter(({ stat }) => stat.size > 0)
    if (!full.length) return
    const batch = new Batch()
    const begun = full.map((file) => this.#begin(batch, file))
    const { results } = await this.#channel.run(batch)
    for (const [index, file] of full.entries()) {
      const ref = begun[index]
      const result = ref ? (results[ref.index] ?? -1) : 0
      if (this.#clones && result === 0) continue
      const done = Math.max(0, result)
      if (done < file.stat.size) await this.#rest(file, done)
    }
    // The first group tells, because all files are on the same two file systems.
    if (begun.some((ref) => ref && (results[ref.index] ?? 0) < 0)) this.#clones = false
  }

  /** Copies a whole file in one call, where possible. */
  #begin(batch: Batch, { from, to, stat }: OpenFile): Ref | undefined {
    if (this.#clones) return batch.call('ioctl', [to, FICLONE, from], { mayFail: true })
    if (!this.#ranges || hasHoles(stat) || stat.size > SLICE) return undefined
    return batch.call('copy_file_range', [from, 0, to, 0, stat.size, 0], { mayFail: true })
  }

  /** Copies from `at` on, piece by piece; holes stay holes. If a file has become shorter, the copy ends there. */
  async #rest({ from, to, stat }: OpenFile, done: number): Promise<void> {
    for (let at = done; at < stat.size; ) {
      const seek = new Batch()
      const start = seek.call('lseek', [from, at, SEEK_DATA], { mayFail: true })
      seek.call('lseek', [from, start, SEEK_HOLE], { mayFail: true })
      const { results } = await this.#channel.run(seek)
      const [data = -1, hole = -1] = results
      if (data === ENXIO) break
      // A file system that does not support SEEK_DATA has no holes.
      if (data > at) at = data
      const end = data < 0 || hole <= at ? stat.size : Math.min(hole, stat.size)
      const moved = await this.#piece(from, to, at, Math.min(SLICE, end - at))
      if (moved === 0) break
      at += moved
    }
    const batch = new Batch()
    batch.call('ftruncate', [to, stat.size])
    await this.#channel.run(batch)
  }

  async #piece(from: number, to: number, at: number, size: number): Promise<number> {
    const batch = new Batch()
    if (this.#ranges)
      batch.call('copy_file_range', [from, offset(at), to, offset(at), size, 0], { mayFail: true })
    else {
      batch.call('lseek', [to, at, SEEK_SET])
      batch.call('sendfile', [to, from, offset(at), size])
    }
    const moved = (await this.#channel.run(batch)).results.at(-1) ?? -1
    if (moved >= 0) return moved
    this.#ranges = false
    if (!FULL.includes(moved)) return this.#piece(from, to, at, size)
    const fail = new Batch() // once more, to get its error
    fail.call('copy_file_range', [from, offset(at), to, offset(at), size, 0], { what: 'copy' })
    return (await this.#channel.run(fail)).results[0] ?? 0
  }
}
