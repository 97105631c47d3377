/** Small files below a folder that somebody else writes in: found by the kernel, which keeps every name inside. */
import * as k from './abi/constants.ts'
import { abi } from './abi/index.ts'
import { openHow } from './abi/structs.ts'
import { readAt } from './files.ts'
import { must, SysError, syscall } from './libc.ts'
import { openReal, pathBytes, statAt } from './tree.ts'

const EAGAIN = -11
const TRIES = 100 // openat2 gives up with EAGAIN while folders are renamed: ever so often by a box that wants it to

/** Where links may lead: nowhere else than below the folder, or, as in an image, with the folder for their `/`. */
export type Links = 'beneath' | 'root'

/** A descriptor that says what is there and cannot be read from. Throws SysError; EXDEV when it leads outside. */
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
 * At most `maxBytes` from the start of a regular file; undefined for anything else, which is not even opened: a fifo
 * would wait, a device may do something. No part of `folder` is a link. Throws SysError.
 */
export function readInside(
  folder: string,
  path: string,
  maxBytes: number,
  links: Links = 'beneath',
): Uint8Array | undefined {
  const found = find(folder, path, links)
  try {
    if (statAt(found, '').type !== k.S_IFREG) return undefined
    // The very file that was looked at, whatever has come into its place.
    const at = Buffer.from(`/proc/self/fd/${found}\0`)
    const fd = must('openat', path, k.AT_FDCWD, at, k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | k.O_CLOEXEC)
    try {
      const buffer = new Uint8Array(maxBytes)
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

/** Whether there is anything by that path, also a link that leads nowhere. */
export function isInside(folder: string, path: string, links: Links = 'beneath'): boolean {
  try {
    syscall('close', find(folder, path, links, abi.O_NOFOLLOW))
    return true
  } catch {
    return false
  }
}
