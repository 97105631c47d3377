/** Reads a part of a file piece by piece. */
import { closeSync, constants, openSync, readSync } from 'node:fs'

const PIECE = 256 * 1024 // bytes

/** Open a file without blocking: a box may have put a fifo in its place, which becomes an error. */
export const openWithoutWaiting = (path: string): number =>
  openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)

/** `size` bytes from `start`, or fewer at the end of the file. */
export async function* filePieces(
  path: string,
  start = 0,
  size = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const fd = openWithoutWaiting(path)
  try {
    for (let at = 0; at < size; ) {
      const piece = new Uint8Array(Math.min(PIECE, size - at))
      const n = readSync(fd, piece, 0, piece.length, start + at)
      if (n === 0) return
      at += n
      yield piece.subarray(0, n)
    }
  } finally {
    closeSync(fd)
  }
}
