/** Pipes (pipe(2)). */
import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK, O_RDWR, SPLICE_F_NONBLOCK } from './abi/constants.ts'
import { cstring, must, syscall } from './libc.ts'

const EINTR = -4
const EIO = -5
const EAGAIN = -11

/** Make a pipe: read and write end, close-on-exec, blocking. */
export function pipe(): [number, number] {
  const ends = new Int32Array(2)
  must('pipe2', undefined, new Uint8Array(ends.buffer), O_CLOEXEC)
  return [ends[0] ?? -1, ends[1] ?? -1]
}

/** Write once. Returns the bytes written or the negated errno. Blocks if the descriptor does. */
export function write(fd: number, bytes: Uint8Array): number {
  return syscall('write', fd, bytes, bytes.length)
}

/** Ask for a larger pipe buffer (F_SETPIPE_SZ, fcntl(2)); the size stays the same if that is not allowed. */
export function growPipe(fd: number, size: number): void {
  syscall('fcntl', fd, 1031, size)
}

/** A pipe behind one descriptor for both directions: it keeps its bytes while anybody holds it. */
export function heldPipe(): number {
  const [readEnd, writeEnd] = pipe()
  try {
    const path = cstring(`/proc/self/fd/${readEnd}`) // opening for reading and writing never blocks (fifo(7))
    return must('openat', 'a pipe', AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
  } finally {
    syscall('close', readEnd)
    syscall('close', writeEnd)
  }
}

/**
 * Copy the first bytes of one pipe into another without consuming them (tee(2)). Returns the bytes copied, 0 at the
 * end, or a negated errno: EAGAIN if the source is empty or the target full.
 */
export function tee(from: number, to: number, size: number): number {
  return syscall('tee', from, to, size, SPLICE_F_NONBLOCK)
}

const FIONREAD = 0x541b
const waiting = new Int32Array(1)
const waitingBytes = new Uint8Array(waiting.buffer)

/** Bytes in a pipe (FIONREAD, pipe(7)). */
export function bytesIn(fd: number): number {
  must('ioctl', 'FIONREAD', fd, FIONREAD, waitingBytes)
  return waiting[0] ?? 0
}

const offset = new BigInt64Array(1)
const offsetBytes = new Uint8Array(offset.buffer)

/**
 * Move bytes inside the kernel; one of the two must be a pipe (splice(2)). `at` is an offset in the target file. A kill
 * loses nothing: each byte is on one side or the other. Returns the bytes moved, or a negated errno.
 */
export function splice(from: number, to: number, size: number, at?: number): number {
  if (at === undefined) return syscall('splice', from, 0, to, 0, size, SPLICE_F_NONBLOCK)
  offset[0] = BigInt(at)
  return syscall('splice', from, 0, to, offsetBytes, size, SPLICE_F_NONBLOCK)
}

/**
 * Write all bytes and wait where the reader is slow, even if somebody made the descriptor non-blocking. Returns 0 or
 * the negated errno.
 */
export function writeAll(fd: number, bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; ) {
    const n = write(fd, bytes.subarray(at))
    if (n === EINTR || n === EAGAIN) continue
    if (n <= 0) return n || EIO
    at += n
  }
  return 0
}
