/** Sockets that coop did not make, such as this process's standard input. */
import * as k from './abi/constants.ts'
import { syscall } from './libc.ts'

const PEEK = k.MSG_PEEK | k.MSG_DONTWAIT // the caller's own flags stay as they are

/** Whether a socket is a stream of bytes, and not of messages. */
export function isStreamSocket(fd: number): boolean {
  const type = new Int32Array(1)
  const size = new Int32Array([4])
  const bytes = new Uint8Array(type.buffer)
  const n = syscall('getsockopt', fd, k.SOL_SOCKET, k.SO_TYPE, bytes, new Uint8Array(size.buffer))
  return n >= 0 && type[0] === k.SOCK_STREAM
}

/** Reads the next bytes and leaves them there. Returns their number, 0 at the end, or a negated errno. */
export function peekSocket(fd: number, bytes: Uint8Array): number {
  return syscall('recvfrom', fd, bytes, bytes.length, PEEK, 0, 0)
}
