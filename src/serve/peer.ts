/**
 * Whose connection a request comes over, if the other end is on this machine. A page without encryption serves this machine
 * alone, and whoever listens on its port while it is not served gets cookies and keys; another user can do nothing with them here.
 */
import * as k from '../../ffi/abi/constants.ts'
import { must, syscall } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { DIAG_ID, DIAG_SOCKET, diagRequest, SOCK_DIAG_BY_FAMILY, TCP_LISTEN } from '../preview/listeners.ts'

const NLM_F_REQUEST = 1
const HEADER = 16 // struct nlmsghdr
const ANSWER_SIZE = HEADER + 72 // with struct inet_diag_msg
const ALL_STATES = 0xffffffff

/** One end of a TCP connection. */
export interface End {
  readonly address: string
  readonly port: number
}

/**
 * Returns the uid of the program that holds the end `peer` of a connection to `own` (sock_diag(7)). `gone`: it holds that end no
 * more. Undefined if the end is not in this network, or this kernel does not say.
 */
export function uidOf(peer: End, own: End): number | 'gone' | undefined {
  const family = peer.address.includes(':') ? k.AF_INET6 : k.AF_INET
  const [from, to] = [addressBytes(peer.address), addressBytes(own.address)]
  if (!from || !to || from.length !== to.length) return undefined
  const request = diagRequest(family, NLM_F_REQUEST, ALL_STATES)
  request.writeUInt16BE(peer.port, DIAG_ID)
  request.writeUInt16BE(own.port, DIAG_ID + 2)
  request.set(from, DIAG_ID + 4)
  request.set(to, DIAG_ID + 20)
  request.fill(0xff, DIAG_ID + 40) // INET_DIAG_NOCOOKIE: any connection between these two
  const [domain = 0, type = 0, protocol = 0] = DIAG_SOCKET
  const socket = must('socket', undefined, domain, type, protocol)
  try {
    if (syscall('sendto', socket, request, request.length, 0, 0, 0) < 0) return undefined
    const answer = Buffer.alloc(1024)
    const n = syscall('recvfrom', socket, answer, answer.length, 0, 0, 0)
    if (n < ANSWER_SIZE || answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY) return undefined
    const message = answer.subarray(HEADER)
    // Without a connection the kernel answers with a program that listens there.
    if (message[1] === TCP_LISTEN) return undefined
    const inode = message.readUInt32LE(68)
    return inode === 0 ? 'gone' : message.readUInt32LE(64)
  } finally {
    closeDescriptor(socket)
  }
}

/** The bytes of an address in network order; undefined for what is none. */
function addressBytes(text: string): Uint8Array | undefined {
  const parts = text.split('.').map(Number)
  if (parts.length === 4) return Uint8Array.from(parts)
  if (text === '::1') return Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0))
  return undefined // other addresses of IPv6 are not served without encryption
}

const ROOT = 0

/**
 * Whether another user of this machine is at the other end. Root may do everything anyway, and relays of its connect for
 * others: tunnels of SSH, the localhost of WSL. A daemon of root serves the people of its machine.
 */
export function isOtherUser(peer: End, own: End, uid: number): boolean {
  if (uid === ROOT) return false
  const found = uidOf(peer, own)
  return found === 'gone' || (found !== undefined && found !== uid && found !== ROOT)
}
