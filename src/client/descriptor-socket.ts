/** Descriptors on their way between this client and the daemon. */
import { SOCK_DGRAM, SOCK_SEQPACKET } from '../../ffi/abi/constants.ts'
import { connectUnix, isCrowded, sendDescriptors, socketPair } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError } from '../core/errors.ts'
import { descriptorSocket, type Paths } from '../core/paths.ts'

const MAX_WAIT_MS = 50 // between two tries
const PATIENCE_MS = 120_000 // a daemon that makes hundreds of boxes comes to ours, too

/** Send descriptors ahead of a call; returns the token by which it names them. Ours stay open. Raises E_DAEMON. */
export async function sendAhead(paths: Paths, fds: readonly number[]): Promise<string> {
  const token = `${process.pid}.${crypto.randomUUID()}`
  const desk = connectUnix(descriptorSocket(paths), SOCK_DGRAM)
  const began = performance.now()
  try {
    for (let wait = 1; ; wait = Math.min(2 * wait, MAX_WAIT_MS)) {
      try {
        sendDescriptors(desk, Buffer.from(token), fds)
        return token
      } catch (error) {
        if (!isCrowded(error)) throw error
        if (performance.now() - began > PATIENCE_MS)
          throw new CoopError('E_DAEMON', 'the coop daemon takes no more descriptors', {
            hint: 'end some commands or boxes (coop ls), or see what it does: coop system logs -n 20',
            cause: error,
          })
      }
      await Bun.sleep(wait * (0.5 + Math.random())) // not all clients at the same moment
    }
  } finally {
    closeDescriptor(desk)
  }
}

/** A socket by which the daemon hands descriptors to us: our end, which the caller closes, and the token of its end. */
export async function sendSocket(paths: Paths): Promise<{ readonly socket: number; readonly token: string }> {
  const [socket, theirs] = socketPair(SOCK_SEQPACKET)
  try {
    return { socket, token: await sendAhead(paths, [theirs]) }
  } catch (error) {
    closeDescriptor(socket)
    throw error
  } finally {
    closeDescriptor(theirs)
  }
}
