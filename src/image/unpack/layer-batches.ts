/**
 * Batches of syscalls for an init whose working directory is a layer's folder. Several batches may be under way; each
 * result is checked when it arrives.
 */
import * as k from '../../../ffi/abi/constants.ts'
import { abi } from '../../../ffi/abi/index.ts'
import { type Argument, Batch, BatchError, type OpOptions, type Ref } from '../../../ffi/batch.ts'
import type { Channel } from '../../../ffi/channel.ts'
import type { SyscallName } from '../../../ffi/libc.ts'
import { CoopError } from '../../core/errors.ts'
import { spent } from '../../disk/garbage.ts'
import { badLayer } from './tar-entry.ts'

const BATCH_DATA = 1536 * 1024 // bytes of files in a batch; with one more piece still well below REGION_SIZE
const BATCH_OPS = 1900 // leaves room for one entry
const BATCH_FOLDERS = 200 // open at the same time; the usual limit of descriptors is 1024
const UNDER_WAY = 2 // batches: one runs while the next is filled
/** Resolution stays in the layer's folder, without links or other file systems (openat2(2)). */
const BELOW = k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS | k.RESOLVE_NO_MAGICLINKS | k.RESOLVE_NO_XDEV

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1')

/** The meaning of a failed call for the layer. `what` names the entry. */
export function layerError(error: unknown): unknown {
  if (!(error instanceof BatchError)) return error
  const what = error.what ?? error.syscall
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return new CoopError('E_DISK_FULL', `no space is left for the image (at ${what})`, {
      hint: 'free space (coop image rm), or set COOP_DATA_DIR to a folder on a larger disk',
      cause: error,
    })
  if (
    ['ELOOP', 'EXDEV', 'ENOTDIR'].includes(error.code) ||
    (error.code === 'EEXIST' && error.syscall === 'mkdirat')
  )
    return badLayer(`${what} in the layer lies behind a link or a file, not in a folder`)
  return new CoopError(
    'E_IMAGE',
    `${what} of the image cannot be unpacked here (${error.syscall}: ${error.code})`,
    {
      hint: 'try another version of the image, or another file system for COOP_DATA_DIR',
      cause: error,
    },
  )
}

export class LayerBatches {
  readonly #channel: Channel
  readonly #underWay: Promise<void>[] = []
  #batch = new Batch()
  #folders = new Map<string, Ref>()
  #data = 0
  #checks: { readonly index: number; readonly check: (result: number) => void }[] = []
  #failure: unknown

  constructor(channel: Channel) {
    this.#channel = channel
  }

  call(name: SyscallName, args: readonly Argument[], options: OpOptions = {}): Ref {
    return this.#batch.call(name, args, options)
  }

  /** A call whose result is checked when it arrives; `check` throws if it is wrong. */
  checked(
    name: SyscallName,
    args: readonly Argument[],
    options: OpOptions,
    check: (result: number) => void,
  ): Ref {
    this.#checks.push({ index: this.#batch.ops.length, check })
    return this.#batch.call(name, args, options)
  }

  write(fd: Ref | number, bytes: Buffer, offset: number, what: string): void {
    this.#data += bytes.length
    // A short write means that the disk became full.
    this.checked('pwrite64', [fd, bytes, bytes.length, offset], { what }, (result) => {
      if (result !== bytes.length) throw new BatchError({ name: 'pwrite64', what }, 28 /* ENOSPC */)
    })
  }

  /** A folder of the layer, open until the batch ends. Links on the way are refused. */
  folder(path: string, what: string, mode: 'path' | 'read' = 'path'): Ref {
    const key = `${mode}:${path}`
    const known = this.#folders.get(key)
    if (known) return known
    const flags = (mode === 'path' ? k.O_PATH : k.O_RDONLY) | abi.O_DIRECTORY | k.O_CLOEXEC
    const how = new Uint8Array(new BigUint64Array([BigInt(flags), 0n, BigInt(BELOW)]).buffer)
    const fd = this.call('openat2', [k.AT_FDCWD, cstring(path || '.'), how, how.length], {
      scoped: true,
      what,
    })
    this.#folders.set(key, fd)
    return fd
  }

  get isFull(): boolean {
    return (
      this.#data >= BATCH_DATA || this.#batch.ops.length >= BATCH_OPS || this.#folders.size >= BATCH_FOLDERS
    )
  }

  /** Send the collected operations; waits while enough batches are under way. Raises the error of an earlier batch. */
  async flush(): Promise<void> {
    const batch = this.#batch
    const checks = this.#checks
    const data = this.#data
    if (batch.ops.length) {
      this.#batch = new Batch()
      this.#checks = []
      this.#folders = new Map()
      this.#data = 0
      const run = this.#channel.run(batch).then(({ results }) => {
        for (const { index, check } of checks) check(results[index] ?? 0)
      })
      const settled = run.catch((error) => {
        this.#failure ??= error
      })
      this.#underWay.push(settled)
      spent(data)
    }
    while (this.#underWay.length >= UNDER_WAY) await this.#underWay.shift()
    if (this.#failure) throw layerError(this.#failure)
  }

  /** Wait until everything is done. */
  async finish(): Promise<void> {
    await this.flush()
    await Promise.all(this.#underWay.splice(0))
    if (this.#failure) throw layerError(this.#failure)
  }
}
