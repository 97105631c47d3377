/** Takes from layers below: attributes of folders that a layer does not describe, and targets of hard links. */
import * as k from '../../../ffi/abi/constants.ts'
import { abi } from '../../../ffi/abi/index.ts'
import { Batch, BatchError } from '../../../ffi/batch.ts'
import type { Channel } from '../../../ffi/channel.ts'
import { cstring, layerError } from './layer-batches.ts'
import { xattrFate } from './layer-owner.ts'
import { split } from './layer-path.ts'
import { badLayer, shown } from './tar-entry.ts'
import { times } from './times.ts'

const STATX_SIZE = 256
const BELOW = k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS | k.RESOLVE_NO_MAGICLINKS

export interface Attributes {
  readonly type: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: bigint
}

/** struct statx (statx(2)). */
function parseStatx(bytes: Buffer): Attributes {
  const mode = bytes.readUInt16LE(28)
  return {
    type: mode & k.S_IFMT,
    mode: mode & 0o7777,
    uid: bytes.readUInt32LE(20),
    gid: bytes.readUInt32LE(24),
    size: Number(bytes.readBigUInt64LE(40)),
    mtime: bytes.readBigInt64LE(112) * 1_000_000_000n + BigInt(bytes.readUInt32LE(120)),
  }
}

function how(flags: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(flags | k.O_CLOEXEC), 0n, BigInt(BELOW)]).buffer)
}

/** Attributes at the path in the topmost layer that has it; undefined if none has. `layer`: its index in `below`. */
async function find(
  channel: Channel,
  below: readonly number[],
  path: string,
): Promise<(Attributes & { readonly layer: number }) | undefined> {
  for (const [layer, folder] of below.entries()) {
    const batch = new Batch()
    const fd = batch.call(
      'openat2',
      [batch.fd(folder), cstring(path || '.'), how(k.O_PATH | abi.O_NOFOLLOW), 24],
      { scoped: true },
    )
    const stat = batch.space(STATX_SIZE)
    batch.call('statx', [fd, '', k.AT_EMPTY_PATH, k.STATX_BASIC_STATS, stat])
    batch.output(stat)
    try {
      return { ...parseStatx((await channel.run(batch)).output), layer }
    } catch (error) {
      if (!(error instanceof BatchError)) throw error // not in this layer
    }
  }
  return undefined
}

export async function attributesBelow(
  channel: Channel,
  below: readonly number[],
  path: string,
): Promise<Attributes | undefined> {
  const found = await find(channel, below, path)
  return found?.type === k.S_IFDIR ? found : undefined
}

export interface CopyInput {
  readonly channel: Channel
  readonly below: readonly number[]
  readonly target: string
  readonly path: string
  readonly what: string
}

const XATTR_SIZE = 64 * 1024 // bytes of a value, and of all names: the limits of Linux (xattr(7))
const CHUNK = 2 ** 30 // bytes of one copy_file_range(2), which copies at most 2 GiB

/**
 * A hard link to a file of a layer below. As in overlayfs, the file is first copied up, under both names. Its folder
 * must exist already.
 */
export async function copyFromBelow(input: CopyInput): Promise<void> {
  const { channel, below, target, what } = input
  try {
    if (await linkHere(input)) return // already copied up for another link, or the target came later in the archive
    const found = await find(channel, below, target)
    if (found?.type !== k.S_IFREG)
      throw badLayer(`${what} in the layer is a hard link to ${shown(target)}, which is not there`)
    await copyUp(input, found, below[found.layer] ?? -1)
    await linkHere(input)
  } catch (error) {
    throw layerError(error)
  }
}

function openFolder(batch: Batch, folder: string, what: string) {
  const flags = how(k.O_PATH | abi.O_DIRECTORY)
  return batch.call('openat2', [k.AT_FDCWD, cstring(folder || '.'), flags, 24], { scoped: true, what })
}

/** Links to the target if it is in this layer; returns whether that worked. */
async function linkHere({ channel, target, path, what }: CopyInput): Promise<boolean> {
  const batch = new Batch()
  const from = openFolder(batch, split(target).parent, what)
  const to = openFolder(batch, split(path).parent, what)
  const [name, link] = [cstring(split(target).base), cstring(split(path).base)]
  batch.call('unlinkat', [to, link, 0], { mayFail: true })
  batch.call('linkat', [from, name, to, link, 0], { mayFail: true })
  const { results } = await channel.run(batch)
  return (results.at(-1) ?? -1) >= 0
}

async function copyUp({ channel, target, what }: CopyInput, found: Attributes, layer: number): Promise<void> {
  const batch = new Batch()
  const { parent, base } = split(target)
  const source = openSource(batch, layer, target, what)
  const dir = openFolder(batch, parent, what)
  const flags = k.O_CREAT | k.O_EXCL | k.O_WRONLY | abi.O_NOFOLLOW | k.O_CLOEXEC
  const fd = batch.call('openat', [dir, cstring(base), flags, 0o600], { scoped: true, what })
  const copies = batch.ops.length
  const chunks = Math.ceil(found.size / CHUNK)
  for (let at = 0; at < chunks; at++) batch.call('copy_file_range', [source, 0, fd, 0, CHUNK, 0], { what })
  batch.call('fchown', [fd, found.uid, found.gid], { what })
  batch.call('fchmod', [fd, found.mode], { what })
  const value = batch.space(XATTR_SIZE)
  for (const name of await attributeNames(channel, layer, target, what)) {
    const size = batch.call('fgetxattr', [source, cstring(name), value, XATTR_SIZE], { what })
    batch.call('fsetxattr', [fd, cstring(name), value, size, 0], { mayFail: true }) // may be unsupported here
  }
  batch.call('utimensat', [fd, 0, times(found.mtime), 0], { what })
  const { results } = await channel.run(batch)
  const copied = results.slice(copies, copies + chunks).reduce((sum, n) => sum + n, 0)
  // A short copy means that the disk became full.
  if (copied !== found.size) throw new BatchError({ name: 'copy_file_range', what }, 28 /* ENOSPC */)
}

function openSource(batch: Batch, layer: number, target: string, what: string) {
  return batch.call('openat2', [batch.fd(layer), cstring(target), how(k.O_RDONLY), 24], {
    scoped: true,
    what,
  })
}

/** Names of the attributes that layers keep. */
async function attributeNames(
  channel: Channel,
  layer: number,
  target: string,
  what: string,
): Promise<string[]> {
  const batch = new Batch()
  const source = openSource(batch, layer, target, what)
  const names = batch.space(XATTR_SIZE)
  batch.call('flistxattr', [source, names, XATTR_SIZE], { mayFail: true })
  batch.output(names)
  const { results, output } = await channel.run(batch)
  const text = output.toString('latin1', 0, Math.max(0, results.at(-1) ?? 0))
  return text.split('\0').filter((name) => name !== '' && xattrFate(name) === 'keep')
}
