/**
 * Whose connection a request comes over, if the other end is on this machine. A page without encryption serves this machine
 * alone, and whoever listens on its port while it is not served gets cookies and keys; another user can do nothing with them here.
 */
import * as k from '../../ffi/abi/constants.ts'
import { must, syscall } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'

const NETLINK_SOCK_DIAG = 4
const SOCK_DIAG_BY_FAMILY = 20
const NLM_F_REQUEST = 1
const TCP = 6
const HEADER = 16 // struct nlmsghdr
const REQUEST_SIZE = 72 // with struct inet_diag_req_v2
const ANSWER_SIZE = 88 // with struct inet_diag_msg
const ALL_STATES = 0xffffffff
const TCP_LISTEN = 10

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
  const addresses = [addressBytes(peer.address), addressBytes(own.address)]
  const [from, to] = addresses
  if (!from || !to || from.length !== to.length) return undefined
  const request = Buffer.alloc(REQUEST_SIZE)
  request.writeUInt32LE(REQUEST_SIZE, 0)
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  request.writeUInt16LE(NLM_F_REQUEST, 6)
  request.writeUInt8(family, HEADER)
  request.writeUInt8(TCP, HEADER + 1)
  request.writeUInt32LE(ALL_STATES, HEADER + 4)
  request.writeUInt16BE(peer.port, HEADER + 8)
  request.writeUInt16BE(own.port, HEADER + 10)
  request.set(from, HEADER + 12)
  request.set(to, HEADER + 28)
  request.fill(0xff, REQUEST_SIZE - 8) // INET_DIAG_NOCOOKIE: any connection between these two
  const socket = must(
    'socket',
    undefined,
    k.AF_NETLINK,
    k.SOCK_RAW | k.SOCK_CLOEXEC | k.SOCK_NONBLOCK,
    NETLINK_SOCK_DIAG,
  )
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
