/** Copies a file's bytes from one descriptor to another and keeps its holes. */
import { must, SysError, syscall } from './libc.ts'

const SLICE = 8 << 20 // bytes copied per turn of the event loop: some milliseconds
const BUFFER = 1 << 20 // bytes, for pairs of files that the kernel does not copy itself
const SMALL = 64 * 1024 // bytes; in smaller files the search for holes costs more than it saves
const SEEK_END = 2
const SEEK_DATA = 3
const SEEK_HOLE = 4
const EINTR = -4
const ENXIO = -6
const EAGAIN = -11

/** Whether copy_file_range works for these two; some pairs of file systems do not support it. */
let kernelCopies = true
let buffer: Uint8Array | undefined

function position(offset: number): Uint8Array {
  return new Uint8Array(new BigInt64Array([BigInt(offset)]).buffer)
}

/** Copies at most `size` bytes at offset `at` of both; returns 0 at the end of the file. */
function copySome(from: number, to: number, at: number, size: number): number {
  if (kernelCopies) {
    const n = syscall('copy_file_range', from, position(at), to, position(at), size, 0)
    if (n > 0 || n === EINTR) return n
    // 0 may also mean that a file system reports a wrong size (copy_file_range(2), BUGS).
    if (n < 0) kernelCopies = false
  }
  buffer ??= new Uint8Array(BUFFER)
  const n = must('pread64', undefined, from, buffer, Math.min(size, BUFFER), at)
  for (let done = 0; done < n; ) {
    const written = syscall('pwrite64', to, buffer.subarray(done, n), n - done, at + done)
    if (written === EINTR) continue
    if (written < 0) throw new SysError('pwrite64', written)
    done += written
  }
  return n
}

/**
 * Copies the first `size` bytes of `from` into the new, empty file `to`; holes stay holes. If `from` shrinks meanwhile,
 * the copy ends there. `moved` receives counts of bytes and may wait or throw. Throws SysError.
 */
export async function copyBytes(
  from: number,
  to: number,
  size: number,
  moved: (bytes: number) => Promise<void> | undefined,
): Promise<void> {
  const small = size <= SMALL
  for (let at = 0; at < size; ) {
    const data = small ? at : syscall('lseek', from, at, SEEK_DATA)
    if (data === ENXIO || data >= size) break // only a hole is left
    const hole = small || data < 0 ? size : syscall('lseek', from, data, SEEK_HOLE)
    if (data > at) at = data
    const end = hole <= at ? size : Math.min(hole, size) // a hole was punched meanwhile: copy it as bytes
    while (at < end) {
      const n = copySome(from, to, at, Math.min(SLICE, end - at))
      if (n === EINTR) continue
      if (n === 0) return void must('ftruncate', undefined, to, at)
      at += n
      const wait = moved(n)
      if (wait) await wait
    }
  }
  // A hole at the end, unless the file has become shorter.
  if (!small) must('ftruncate', undefined, to, Math.min(size, must('lseek', undefined, from, 0, SEEK_END)))
}

/** Copies everything that `from` yields, which may be a pipe or terminal, to `to`, after `prepare` has changed it. */
export async function copyStream(
  from: number,
  to: number,
  moved: (bytes: number) => Promise<void> | undefined,
  prepare = (bytes: Uint8Array) => bytes,
): Promise<void> {
  const bytes = new Uint8Array(BUFFER)
  for (;;) {
    const n = syscall('read', from, bytes, bytes.length)
    if (n === 0) return
    if (n === EINTR) continue
    if (n === EAGAIN) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      continue
    }
    if (n < 0) throw new SysError('read', n)
    const out = prepare(bytes.subarray(0, n))
    for (let done = 0; done < out.length; ) {
      const written = syscall('write', to, out.subarray(done), out.length - done)
      if (written === EAGAIN) await new Promise((resolve) => setTimeout(resolve, 1))
      else if (written < 0 && written !== EINTR) throw new SysError('write', written)
      else if (written > 0) done += written
    }
    const wait = moved(n)
    if (wait) await wait
  }
}
