/** Passing descriptors over unix sockets (SCM_RIGHTS, unix(7)), and the credentials of the peer. */
import { ptr } from 'bun:ffi'
import {
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_TRUNC,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from './abi/constants.ts'
import { must, SysError, syscall } from './libc.ts'

const MAX_FDS = 64 // nobody sends more to this side
const MAX_PATH = 107 // bytes of sun_path (unix(7))
const EAGAIN = 11
const ETOOMANYREFS = 109

/** Whether a send failed only because too much is in flight: on this socket, or descriptors of this user (unix(7)). */
export function isCrowded(error: unknown): boolean {
  return error instanceof SysError && (error.errno === EAGAIN || error.errno === ETOOMANYREFS)
}

/** struct msghdr with one iovec and a control buffer; the returned object keeps the memory alive. */
function message(bytes: Uint8Array, control: Uint8Array) {
  const iov = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)])
  const header = new BigUint64Array(7)
  header[2] = BigInt(ptr(iov))
  header[3] = 1n
  if (control.length) {
    header[4] = BigInt(ptr(control))
    header[5] = BigInt(control.length)
  }
  return { header: new Uint8Array(header.buffer), words: header, iov, bytes, control }
}

/** Send `bytes` (at least one) with descriptors. Throws SysError; never blocks. */
export function sendDescriptors(socket: number, bytes: Uint8Array, fds: readonly number[]): void {
  const size = 16 + 4 * fds.length
  const control = new Uint8Array(fds.length ? (size + 7) & ~7 : 0)
  if (fds.length) {
    const view = new DataView(control.buffer)
    view.setBigUint64(0, BigInt(size), true)
    view.setInt32(8, SOL_SOCKET, true)
    view.setInt32(12, SCM_RIGHTS, true)
    fds.forEach((fd, i) => {
      view.setInt32(16 + 4 * i, fd, true)
    })
  }
  const m = message(bytes, control)
  must('sendmsg', undefined, socket, m.header, MSG_DONTWAIT | MSG_NOSIGNAL)
}

/**
 * Receive one message of at most `size` bytes with its descriptors (close-on-exec). Returns undefined if none has
 * arrived or the peer is gone. A truncated message is an error and leaks nothing.
 */
export function receiveDescriptors(
  socket: number,
  size: number,
): { bytes: Uint8Array; fds: number[] } | undefined {
  const control = new Uint8Array(16 + 4 * MAX_FDS)
  const m = message(new Uint8Array(size), control)
  const n = syscall('recvmsg', socket, m.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
  if (n === -EAGAIN) return undefined
  if (n < 0) throw new SysError('recvmsg', n)
  const fds: number[] = []
  const view = new DataView(control.buffer)
  const controlSize = Number(m.words[5])
  if (controlSize >= 16 && view.getInt32(8, true) === SOL_SOCKET && view.getInt32(12, true) === SCM_RIGHTS) {
    const end = Math.min(Number(view.getBigUint64(0, true)), controlSize)
    for (let at = 16; at + 4 <= end; at += 4) fds.push(view.getInt32(at, true))
  }
  const flags = Number((m.words[6] ?? 0n) & 0xffff_ffffn)
  if (flags & (MSG_TRUNC | MSG_CTRUNC)) {
    for (const fd of fds) syscall('close', fd)
    throw new SysError('recvmsg', -90 /* EMSGSIZE */)
  }
  if (n === 0 && !fds.length) return undefined
  return { bytes: m.bytes.subarray(0, n), fds }
}

export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** SO_PEERCRED of a connected unix socket: the peer's credentials at the time of its connect(2). */
export function peerCredentials(socket: number): PeerCredentials {
  const cred = new Int32Array(3)
  const length = new Int32Array([12])
  const bytes = (array: Int32Array): Uint8Array => new Uint8Array(array.buffer)
  must('getsockopt', undefined, socket, SOL_SOCKET, 17 /* SO_PEERCRED */, bytes(cred), bytes(length))
  return { pid: cred[0] ?? -1, uid: cred[1] ?? -1, gid: cred[2] ?? -1 }
}

/** A connected pair of unix sockets, close-on-exec. `nonblocking` applies to both ends. */
export function socketPair(type: number, nonblocking = false): [number, number] {
  const pair = new Int32Array(2)
  const flags = type | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0)
  must('socketpair', undefined, AF_UNIX, flags, 0, new Uint8Array(pair.buffer))
  return [pair[0] ?? -1, pair[1] ?? -1]
}

function unixAddress(path: string): Uint8Array {
  const address = new Uint8Array(110)
  address[0] = AF_UNIX // 16 bits, little-endian on both architectures
  const name = new TextEncoder().encode(path)
  if (name.length > MAX_PATH) throw new SysError('bind', -36 /* ENAMETOOLONG */, path)
  address.set(name, 2)
  return address
}

/** A bound unix socket; stream and seqpacket sockets also listen. The caller removes any old file at `path` first. */
export function listenUnix(path: string, type: number): number {
  const fd = must('socket', undefined, AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
  const address = unixAddress(path)
  let result = syscall('bind', fd, address, address.length)
  if (result >= 0 && type !== SOCK_DGRAM) result = syscall('listen', fd, 64)
  if (result < 0) {
    syscall('close', fd)
    throw new SysError('bind', result, path)
  }
  return fd
}

/** Connect to a unix socket; blocks until the peer's queue has room. Throws SysError. */
export function connectUnix(path: string, type: number): number {
  const fd = must('socket', undefined, AF_UNIX, type | SOCK_CLOEXEC, 0)
  const address = unixAddress(path)
  const result = syscall('connect', fd, address, address.length)
  if (result < 0) {
    syscall('close', fd)
    throw new SysError('connect', result, path)
  }
  return fd
}

/** Whether a stream socket listens at `path` and its queue is full (connect(2), EAGAIN). */
export function hasFullQueue(path: string): boolean {
  if (Buffer.byteLength(path) > MAX_PATH) return false // nobody can listen there
  const fd = must('socket', undefined, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
  const address = unixAddress(path)
  const result = syscall('connect', fd, address, address.length)
  syscall('close', fd)
  return result === -EAGAIN
}
