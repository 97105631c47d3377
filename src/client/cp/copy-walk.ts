/** Shared parts of both directions of a copy. */
import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from '../../../ffi/abi/constants.ts'
import type { Statx } from '../../../ffi/abi/structs.ts'
import { SysError } from '../../../ffi/libc.ts'
import { statAt } from '../../../ffi/tree.ts'
import type { CopyEntry } from '../../protocol/calls/copies.ts'

export const MAX_DEPTH = 200 // folders in folders; each holds two descriptors, and 1,024 is the usual limit

/** Reasons why entries other than files, folders and links are left out. */
export const SKIPPED: Readonly<Record<CopyEntry['type'], string>> = {
  file: 'it is no longer what it was',
  folder: 'it is no longer what it was',
  link: 'it is no longer what it was',
  missing: 'it is gone',
  device: 'it is a device',
  fifo: 'it is a fifo',
  socket: 'it is a socket',
  kernel: 'the kernel makes its content, which depends on its reader',
}

/** Returns device and inode, in the form of a box's entries. */
export function identityOf(stat: Statx): string {
  return `${stat.devMajor}:${stat.devMinor}:${stat.ino}`
}

/** Returns the identity of a name in an open folder of the host; undefined when there is nothing. */
export function identityAt(folder: number, name: string): string | undefined {
  try {
    return identityOf(statAt(folder, name))
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENOENT') return undefined
    throw error
  }
}

const TYPES: Readonly<Record<number, CopyEntry['type']>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'folder',
  [S_IFLNK]: 'link',
  [S_IFIFO]: 'fifo',
  [S_IFSOCK]: 'socket',
}

export function typeOf(stat: Statx): CopyEntry['type'] {
  return TYPES[stat.type] ?? 'device'
}

export function* slices<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size)
}
