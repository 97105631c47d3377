/** Reads small files below a folder that a box may write. The kernel resolves the path and keeps it inside. */
import * as k from './abi/constants.ts'
import { abi } from './abi/index.ts'
import { openHow } from './abi/structs.ts'
import { readAt } from './files.ts'
import { must, SysError, syscall } from './libc.ts'
import { openReal, pathBytes, statAt } from './tree.ts'

const EAGAIN = -11
const TRIES = 100 // openat2 fails with EAGAIN while folders are renamed, which a hostile box can do all the time

/** How links resolve: only below the folder, or, as in an image, with the folder as their `/`. */
export type Links = 'beneath' | 'root'

/** Opens an O_PATH descriptor, which cannot be read from. Throws SysError; EXDEV if the path leads outside. */
function find(folder: string, path: string, links: Links, flags = 0): number {
  const top = openReal(pathBytes(folder), k.O_PATH | abi.O_DIRECTORY)
  try {
    const inside = links === 'root' ? k.RESOLVE_IN_ROOT : k.RESOLVE_BENEATH
    const how = openHow({
      flags: k.O_PATH | k.O_CLOEXEC | flags,
      resolve: inside | k.RESOLVE_NO_MAGICLINKS,
    })
    const name = Buffer.from(`${pathBytes(path)}\0`, 'latin1')
    for (let left = TRIES; ; left--) {
      const found = syscall('openat2', top, name, how, how.length)
      if (found >= 0) return found
      if (found !== EAGAIN || left === 0) throw new SysError('openat2', found, path)
    }
  } finally {
    syscall('close', top)
  }
}

/**
 * Reads at most `maxBytes` from the start of a regular file. Returns undefined for anything else without opening it: a
 * fifo would block, and opening a device may have effects. No part of `folder` is a link. Throws SysError.
 */
export function readInside(
  folder: string,
  path: string,
  maxBytes: number,
  links: Links = 'beneath',
): Uint8Array | undefined {
  const found = find(folder, path, links)
  try {
    const { type, size } = statAt(found, '')
    if (type !== k.S_IFREG) return undefined
    // Open the very file that was checked, even if another has taken its place.
    const at = Buffer.from(`/proc/self/fd/${found}\0`)
    const fd = must('openat', path, k.AT_FDCWD, at, k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | k.O_CLOEXEC)
    try {
      // Files of /proc say that they are empty. Of one that grows meanwhile, the part that was there is read.
      const buffer = new Uint8Array(size > 0n ? Math.min(maxBytes, Number(size)) : maxBytes)
      for (let length = 0; ; ) {
        const n = readAt(fd, buffer.subarray(length), length)
        if (n === 0) return buffer.subarray(0, length)
        length += n
      }
    } finally {
      syscall('close', fd)
    }
  } finally {
    syscall('close', found)
  }
}

/** Whether the path exists, even as a link that leads nowhere. */
export function isInside(folder: string, path: string, links: Links = 'beneath'): boolean {
  try {
    syscall('close', find(folder, path, links, abi.O_NOFOLLOW))
    return true
  } catch {
    return false
  }
}
