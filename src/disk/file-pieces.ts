/** A part of a file, piece by piece. */
import { closeSync, openSync, readSync } from 'node:fs'

const PIECE = 256 * 1024 // bytes

/** `size` bytes from `start` on, or to the end of the file. */
export async function* filePieces(
  path: string,
  start = 0,
  size = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const fd = openSync(path, 'r')
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
