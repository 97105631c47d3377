/**
 * Listening TCP sockets of a network namespace, from /proc/PID/net/tcp and tcp6 (proc_pid_net(5)). The kernel writes
 * listening sockets first, so reading ends at the first other one: a million connections cost nothing.
 */
import { closeSync, openSync, readSync } from 'node:fs'

const MAX_BYTES = 1 << 20 // of each file; some 7,000 listening sockets
const PIECE = 1 << 16
const LISTENING = '0A' // TCP_LISTEN (include/net/tcp_states.h)

export interface Listener {
  readonly port: number
  /** The socket's inode, which /proc/PID/fd names, too. */
  readonly inode: number
  /** The loopback address at which it is reached. */
  readonly address: string
}

/** Reads the listening sockets of the namespace of that process. Empty when the process is gone. */
export function listenersOf(pid: number): Listener[] {
  return [...listenersIn(`/proc/${pid}/net/tcp`), ...listenersIn(`/proc/${pid}/net/tcp6`)]
}

function listenersIn(path: string): Listener[] {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return [] // ended meanwhile, or a kernel without IPv6
  }
  try {
    let text = ''
    const piece = Buffer.allocUnsafe(PIECE)
    while (text.length < MAX_BYTES) {
      const n = readSync(fd, piece)
      if (n === 0) break
      text += piece.toString('latin1', 0, n)
      if (hasOthers(text)) break
    }
    return parseListeners(text.slice(0, text.lastIndexOf('\n'))) // no half line, whose inode would be another one
  } catch {
    return []
  } finally {
    closeSync(fd)
  }
}

/** Whether the last whole line is of a socket that does not listen. */
function hasOthers(text: string): boolean {
  const end = text.lastIndexOf('\n')
  const start = text.lastIndexOf('\n', end - 1)
  return start > 0 && state(text.slice(start, end)) !== LISTENING
}

const fieldsOf = (line: string): string[] => line.trim().split(/\s+/)
const state = (line: string): string | undefined => fieldsOf(line)[3]

/** Reads the text of such a file; sockets that loopback does not reach are left out. */
export function parseListeners(text: string): Listener[] {
  const found: Listener[] = []
  for (const line of text.split('\n').slice(1)) {
    const fields = fieldsOf(line)
    if (fields[3] !== LISTENING) continue
    const [host = '', port = ''] = fields[1]?.split(':') ?? []
    const address = host.length === 8 ? reach4(host) : reach6(host)
    const inode = Number(fields[9])
    if (address === undefined || !Number.isSafeInteger(inode) || inode <= 0) continue
    found.push({ port: Number.parseInt(port, 16), inode, address })
  }
  return found
}

/** Four bytes of an address in network order; the kernel prints them as one number of this machine (little-endian). */
const bytesOf = (word: string): number[] =>
  [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16))

function reach4(word: string): string | undefined {
  const bytes = bytesOf(word)
  if (bytes.every((byte) => byte === 0)) return '127.0.0.1'
  return bytes[0] === 127 ? bytes.join('.') : undefined
}

const MAPPED = '0000000000000000FFFF0000' // ::ffff:0:0/96, an IPv4 address (RFC 4291)

function reach6(words: string): string | undefined {
  if (words.length !== 32) return undefined
  if (words.startsWith(MAPPED)) return reach4(words.slice(24))
  if (/^0+$/.test(words)) return '::1'
  return words === '00000000000000000000000001000000' ? '::1' : undefined
}
