/** The daemon's side of PTY masters. */
import { F_GETFL, F_SETFL, O_NONBLOCK, POLLIN, TIOCSWINSZ } from './abi/constants.ts'
import { type WindowSize, winsize } from './abi/structs.ts'
import { syscall } from './libc.ts'

const EAGAIN = 11
const EINTR = 4

export function setNonblocking(fd: number): void {
  syscall('fcntl', fd, F_SETFL, syscall('fcntl', fd, F_GETFL, 0) | O_NONBLOCK)
}

/** TIOCSWINSZ (ioctl_tty(2)): the kernel tells the foreground process group. */
export function setWindowSize(fd: number, size: WindowSize): void {
  syscall('ioctl', fd, TIOCSWINSZ, winsize(size))
}

/** Write without blocking. Returns the bytes written, 0 if it is full, or the negated errno if it is broken. */
export function writeNonblocking(fd: number, bytes: Uint8Array): number {
  const n = syscall('write', fd, bytes, bytes.length)
  return n === -EAGAIN || n === -EINTR ? 0 : n
}

const pollfd = new DataView(new ArrayBuffer(8))
const timespec = new DataView(new ArrayBuffer(16))

/** Whether something can be read within `waitUs` microseconds (less than a second); 0 checks without waiting. */
export function isReadable(fd: number, waitUs = 0): boolean {
  pollfd.setInt32(0, fd, true)
  pollfd.setInt16(4, POLLIN, true)
  timespec.setUint32(8, waitUs * 1000, true)
  const n = syscall('ppoll', new Uint8Array(pollfd.buffer), 1, new Uint8Array(timespec.buffer), 0, 8)
  return n > 0 && (pollfd.getInt16(6, true) & POLLIN) !== 0
}

export function closeDescriptor(fd: number): void {
  syscall('close', fd)
}
