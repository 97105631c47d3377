/** Sends descriptors from this client to the daemon. */
import { SOCK_DGRAM, SOCK_SEQPACKET } from '../../ffi/abi/constants.ts'
import { connectUnix, isCrowded, sendDescriptors, socketPair } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError } from '../core/errors.ts'
import { descriptorSocket, type Paths } from '../core/paths.ts'

const MAX_WAIT_MS = 50 // between two tries
const PATIENCE_MS = 120_000 // long enough for a daemon that makes hundreds of boxes first

/**
 * Sends descriptors ahead of a call, and returns the token that names them in it. The caller's stay open. Raises
 * E_DAEMON.
 */
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
          throw new CoopError('E_DAEMON', 'the coop daemon accepts no more descriptors', {
            hint: 'end some commands or boxes (coop ls), or see what it does: coop system logs -n 20',
            cause: error,
          })
      }
      await Bun.sleep(wait * (0.5 + Math.random())) // random, so that clients do not retry together
    }
  } finally {
    closeDescriptor(desk)
  }
}

/**
 * Sends a socket by which the daemon passes descriptors back. Returns our end, which the caller closes, and its token.
 */
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
