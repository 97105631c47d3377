/** Pipes (pipe(2)). */
import { must, syscall } from './libc.ts'

const O_CLOEXEC = 0o2000000

/** Read and write end, close-on-exec, blocking. */
export function pipe(): [number, number] {
  const ends = new Int32Array(2)
  must('pipe2', undefined, new Uint8Array(ends.buffer), O_CLOEXEC)
  return [ends[0] ?? -1, ends[1] ?? -1]
}

/** Write to a descriptor now; bytes written or negated errno. May block when the descriptor does. */
export function write(fd: number, bytes: Uint8Array): number {
  return syscall('write', fd, bytes, bytes.length)
}

/** Ask for more room in a pipe (F_SETPIPE_SZ, fcntl(2)); it stays as it is where that is not allowed. */
export function growPipe(fd: number, size: number): void {
  syscall('fcntl', fd, 1031, size)
}
