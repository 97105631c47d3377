/** A socket by which the daemon hands descriptors to this client. */
import { SOCK_DGRAM, SOCK_SEQPACKET } from '../../ffi/abi/constants.ts'
import { connectUnix, sendDescriptors, socketPair } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { descriptorSocket, type Paths } from '../config/paths.ts'

/** Our end, and the token by which a call tells the daemon of its end. The caller closes the socket. */
export function sendSocket(paths: Paths): { readonly socket: number; readonly token: string } {
  const [socket, theirs] = socketPair(SOCK_SEQPACKET)
  const token = `${process.pid}.${crypto.randomUUID()}`
  let desk: number | undefined
  try {
    desk = connectUnix(descriptorSocket(paths), SOCK_DGRAM)
    sendDescriptors(desk, Buffer.from(token), [theirs])
    return { socket, token }
  } catch (error) {
    closeDescriptor(socket)
    throw error
  } finally {
    if (desk !== undefined) closeDescriptor(desk)
    closeDescriptor(theirs)
  }
}
