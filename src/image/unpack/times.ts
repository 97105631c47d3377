/** Times in the form of utimensat(2). */

/** struct timespec[2]: access and modification time. */
export function times(mtime: bigint): Uint8Array {
  let seconds = mtime / 1_000_000_000n
  let nanoseconds = mtime % 1_000_000_000n
  if (nanoseconds < 0n) {
    seconds -= 1n
    nanoseconds += 1_000_000_000n
  }
  return new Uint8Array(new BigInt64Array([seconds, nanoseconds, seconds, nanoseconds]).buffer)
}
