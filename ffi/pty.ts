/** PTY masters, seen from the daemon. */
import { F_GETFL, F_SETFL, O_NONBLOCK, POLLIN, TIOCSWINSZ } from './abi/constants.ts'
import { syscall } from './libc.ts'

const EAGAIN = 11
const EINTR = 4

export function setNonblocking(fd: number): void {
  syscall('fcntl', fd, F_SETFL, syscall('fcntl', fd, F_GETFL, 0) | O_NONBLOCK)
}

/** TIOCSWINSZ (ioctl_tty(2)): the kernel tells the foreground process group. */
export function setWindowSize(fd: number, columns: number, rows: number): void {
  syscall('ioctl', fd, TIOCSWINSZ, new Uint8Array(new Uint16Array([rows, columns, 0, 0]).buffer))
}

/** Bytes written; 0 when the descriptor takes none now; negated errno when it never will. */
export function writeNonblocking(fd: number, bytes: Uint8Array): number {
  const n = syscall('write', fd, bytes, bytes.length)
  return n === -EAGAIN || n === -EINTR ? 0 : n
}

/** Whether something can be read right now. */
export function isReadable(fd: number): boolean {
  const pollfd = new Uint8Array(8)
  const view = new DataView(pollfd.buffer)
  view.setInt32(0, fd, true)
  view.setInt16(4, POLLIN, true)
  const now = new Uint8Array(16) // struct timespec 0
  return syscall('ppoll', pollfd, 1, now, 0, 8) > 0 && (view.getInt16(6, true) & POLLIN) !== 0
}

export function closeDescriptor(fd: number): void {
  syscall('close', fd)
}
