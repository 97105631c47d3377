/** Listening TCP sockets of a network (sock_diag(7), or proc_pid_net(5) on a kernel without it). */
import { closeSync, openSync, readSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { must, syscall } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'

export interface Listener {
  readonly port: number
  /** The socket's inode, which /proc/PID/fd names, too. */
  readonly inode: number
  /** The loopback address at which it is reached. */
  readonly address: string
}

const MAX_SOCKETS = 8_192 // of each family; a box may have any number
const NETLINK_SOCK_DIAG = 4
const REQUEST_SIZE = 72 // struct nlmsghdr and struct inet_diag_req_v2
const PIECE = 1 << 16 // bytes; the kernel sends at most 32 KiB at a time
const HEADER = 16
export const DIAG_ID = HEADER + 8 // bytes before struct inet_diag_sockid
const MESSAGE = 72 // struct inet_diag_msg
export const SOCK_DIAG_BY_FAMILY = 20
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const DUMP = 0x301 // NLM_F_REQUEST | NLM_F_DUMP
const TCP = 6
export const TCP_LISTEN = 10

/** A question about TCP sockets in these states. The bytes after the first {@link DIAG_ID} may name one connection. */
export function diagRequest(family: number, flags: number, states: number): Buffer {
  const request = Buffer.alloc(REQUEST_SIZE)
  request.writeUInt32LE(REQUEST_SIZE, 0)
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  request.writeUInt16LE(flags, 6)
  request.writeUInt8(family, HEADER)
  request.writeUInt8(TCP, HEADER + 1)
  request.writeUInt32LE(states, HEADER + 4)
  return request
}

/** What `socket(2)` takes for the questions of {@link askListeners}. */
export const DIAG_SOCKET = [k.AF_NETLINK, k.SOCK_RAW | k.SOCK_CLOEXEC | k.SOCK_NONBLOCK, NETLINK_SOCK_DIAG]

/** The listening sockets of this process's own network. */
export function ownListeners(): Listener[] {
  const [family = 0, kind = 0, protocol = 0] = DIAG_SOCKET
  const socket = must('socket', undefined, family, kind, protocol)
  try {
    return askListeners(socket) ?? listenersByFile(process.pid)
  } finally {
    closeDescriptor(socket)
  }
}

/**
 * Asks the network in which the socket was made. The kernel looks at listening sockets only: reading /proc/net/tcp goes
 * through the table of all connections, which takes 5 ms for each family even if it is empty. Undefined if this kernel
 * does not answer.
 */
export function askListeners(socket: number): Listener[] | undefined {
  const piece = Buffer.alloc(PIECE)
  const found: Listener[] = []
  for (const family of [k.AF_INET, k.AF_INET6]) {
    const request = diagRequest(family, DUMP, 1 << TCP_LISTEN)
    if (syscall('sendto', socket, request, request.length, 0, 0, 0) < 0) return undefined
    for (let count = 0; ; ) {
      // The kernel writes each part when it is read, so there is nothing to wait for.
      const n = syscall('recvfrom', socket, piece, PIECE, 0, 0, 0)
      if (n <= 0) return undefined
      const { listeners, isDone, isRefused } = readDiag(piece.subarray(0, n))
      if (isRefused) return family === k.AF_INET6 ? found : undefined // a kernel without IPv6
      count += listeners.length
      found.push(...listeners)
      if (isDone) break
      if (count > MAX_SOCKETS) return found // the rest goes with the socket
    }
  }
  return found
}

/** Reads one part of an answer. */
export function readDiag(bytes: Buffer): { listeners: Listener[]; isDone: boolean; isRefused: boolean } {
  const listeners: Listener[] = []
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const size = bytes.readUInt32LE(at)
    const type = bytes.readUInt16LE(at + 4)
    if (type === NLMSG_DONE) return { listeners, isDone: true, isRefused: false }
    if (type === NLMSG_ERROR) return { listeners, isDone: true, isRefused: true }
    if (size < HEADER + MESSAGE || at + size > bytes.length) break
    const message = bytes.subarray(at + HEADER, at + HEADER + MESSAGE)
    const isOld = message[0] === k.AF_INET
    const address = reached([...message.subarray(8, isOld ? 12 : 24)])
    const inode = message.readUInt32LE(68)
    if (address !== undefined && inode && message[1] === TCP_LISTEN)
      listeners.push({ port: message.readUInt16BE(4), inode, address })
    at += (size + 3) & ~3
  }
  return { listeners, isDone: false, isRefused: false }
}

/** The loopback address at which a socket is reached that listens on this one; undefined if it is not. */
function reached(bytes: readonly number[]): string | undefined {
  const isAny = bytes.every((byte) => byte === 0)
  if (bytes.length === 4) return isAny ? '127.0.0.1' : bytes[0] === 127 ? bytes.join('.') : undefined
  const isMapped = bytes.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff)) // ::ffff:0:0/96 (RFC 4291)
  if (isMapped) return reached(bytes.slice(12))
  const isLoopback = bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))
  return isAny || isLoopback ? '::1' : undefined
}

const MAX_FILE = 1 << 20 // bytes; some 7,000 sockets

/** The listening sockets in the network of a process, by /proc. Empty when it is gone. */
export function listenersByFile(pid: number): Listener[] {
  return ['tcp', 'tcp6'].flatMap((name) => parseListeners(beginning(`/proc/${pid}/net/${name}`)))
}

/** The first lines of such a file. Listening sockets come first in it, so it is read until another one comes. */
function beginning(path: string): string {
  let fd: number | undefined
  let text = ''
  try {
    fd = openSync(path, 'r')
    const piece = Buffer.allocUnsafe(PIECE)
    while (text.length < MAX_FILE) {
      const n = readSync(fd, piece)
      if (n === 0) break
      text += piece.toString('latin1', 0, n)
      const end = text.lastIndexOf('\n')
      const start = text.lastIndexOf('\n', end - 1)
      if (start > 0 && fieldsOf(text.slice(start, end))[3] !== LISTENING) break
    }
  } catch {
    // Ended meanwhile, or a kernel without IPv6.
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  return text.slice(0, text.lastIndexOf('\n')) // no half line, whose inode would be another one
}

const LISTENING = '0A' // TCP_LISTEN (include/net/tcp_states.h)
const fieldsOf = (line: string): string[] => line.trim().split(/\s+/)

/** Reads the text of such a file. */
export function parseListeners(text: string): Listener[] {
  const found: Listener[] = []
  for (const line of text.split('\n').slice(1)) {
    const fields = fieldsOf(line)
    if (fields[3] !== LISTENING) continue
    const [host = '', port = ''] = fields[1]?.split(':') ?? []
    // Each group of eight digits is a number of this machine (little-endian) whose bytes are in network order.
    const groups = host.match(/.{8}/g) ?? []
    const address = reached(
      groups.flatMap((word) => [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16))),
    )
    const inode = Number(fields[9])
    if (address === undefined || !Number.isSafeInteger(inode) || inode <= 0) continue
    found.push({ port: Number.parseInt(port, 16), inode, address })
  }
  return found
}
