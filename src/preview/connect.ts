/** A connection to a port of a box, and to nobody else. */
import * as k from '../../ffi/abi/constants.ts'
import { ERRNO_NUMBERS } from '../../ffi/abi/errno.ts'
import { sockaddrIn } from '../../ffi/abi/structs.ts'
import { Batch } from '../../ffi/batch.ts'
import { syscall } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { hasOwnNetwork, type PortBox, type Prover } from './ports.ts'
import { Wire } from './wire.ts'

const CONNECT_MS = 5_000 // a program that does not accept for so long counts as absent
const POLL_MS = 10

/** The box does not listen on that port, or not any more. */
export class NobodyListens extends Error {
  override readonly name = 'NobodyListens'
}

/** Connects; rejects with {@link NobodyListens}. */
export async function connectTo(box: PortBox, ports: Prover, port: number): Promise<Wire> {
  const proof = await ports.prove(port)
  if (!proof) throw new NobodyListens(`the box ${box.name} does not listen on port ${port}`)
  const socket = await openSocket(box, proof.address)
  try {
    await connectSocket(socket, addressBytes(proof.address), port)
    // Another program may have taken the port since its owner was looked at.
    if (!proof.still()) throw new NobodyListens(`port ${port} went to another program`)
  } catch (error) {
    closeDescriptor(socket)
    throw error
  }
  return Wire.adopt(socket)
}

/** A new socket in the box's network: init makes it there and hands it over. */
async function openSocket(box: PortBox, address: string): Promise<number> {
  const family = address === '::1' ? k.AF_INET6 : k.AF_INET
  const kind = k.SOCK_STREAM | k.SOCK_NONBLOCK | k.SOCK_CLOEXEC
  if (!hasOwnNetwork(box)) {
    const socket = syscall('socket', family, kind, 0)
    if (socket < 0) throw new Error('no socket')
    return socket
  }
  const batch = new Batch()
  batch.call('socket', [family, kind, 0], { send: true, scoped: true })
  const [socket] = (await box.processes.run(batch)).fds
  if (socket === undefined) throw new Error('init sent no socket')
  return socket
}

/** Connects without waiting in the kernel: a program in the box may never accept. */
async function connectSocket(socket: number, address: Uint8Array, port: number): Promise<void> {
  const place = sockaddrIn(address, port)
  const until = performance.now() + CONNECT_MS
  for (;;) {
    const error = -syscall('connect', socket, place, place.length)
    if (error === 0 || error === ERRNO_NUMBERS.EISCONN) return
    const isUnderWay = error === ERRNO_NUMBERS.EINPROGRESS || error === ERRNO_NUMBERS.EALREADY
    if (!isUnderWay || performance.now() > until) throw new NobodyListens(`nobody accepts on port ${port}`)
    // Loopback answers while the call returns, so that the second one mostly succeeds.
    if (error === ERRNO_NUMBERS.EALREADY) await Bun.sleep(POLL_MS)
  }
}

function addressBytes(address: string): Uint8Array {
  if (address !== '::1') return new Uint8Array(address.split('.').map(Number))
  const bytes = new Uint8Array(16)
  bytes[15] = 1
  return bytes
}
