/** Descriptors on their way between this client and the daemon. */
import { SOCK_DGRAM, SOCK_SEQPACKET } from '../../ffi/abi/constants.ts'
import { connectUnix, sendDescriptors, socketPair } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { descriptorSocket, type Paths } from '../core/paths.ts'

/** Send descriptors ahead of a call; returns the token by which it names them. Ours stay open. */
export function sendAhead(paths: Paths, fds: readonly number[]): string {
  const token = `${process.pid}.${crypto.randomUUID()}`
  const desk = connectUnix(descriptorSocket(paths), SOCK_DGRAM)
  try {
    sendDescriptors(desk, Buffer.from(token), fds)
    return token
  } finally {
    closeDescriptor(desk)
  }
}

/** A socket by which the daemon hands descriptors to us: our end, which the caller closes, and the token of its end. */
export function sendSocket(paths: Paths): { readonly socket: number; readonly token: string } {
  const [socket, theirs] = socketPair(SOCK_SEQPACKET)
  try {
    return { socket, token: sendAhead(paths, [theirs]) }
  } catch (error) {
    closeDescriptor(socket)
    throw error
  } finally {
    closeDescriptor(theirs)
  }
}
