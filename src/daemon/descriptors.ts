/**
 * Descriptors that clients hand over: the pipes of `coop run` and `coop exec`, which the box then uses
 * directly. A socket of its own, because Bun's sockets drop what SCM_RIGHTS brings; read only when a message
 * on a connection says that something is there.
 */
import { fchmodSync, rmSync } from 'node:fs'
import { SOCK_DGRAM } from '../../ffi/abi/constants.ts'
import { listenUnix, receiveDescriptors } from '../../ffi/descriptors.ts'
import { descriptorIsSocket, descriptorType } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { descriptorSocket, type Paths } from '../core/paths.ts'

const MAX_TOKEN = 64
const KEEP_MS = 10_000 // for a client that died between sending descriptors and asking

/**
 * When root invokes coop, its pipes belong to an id that the box does not have, and opening them once more, as
 * `echo >/dev/stderr` does, would be refused. They have no name by which anybody else could get at them.
 */
function openToAll(fd: number): void {
  fchmodSync(fd, 0o666)
}

export class DescriptorDesk {
  readonly #path: string
  #socket: number
  #tidy: Timer | undefined
  readonly #waiting = new Map<string, { fds: number[]; since: number; kind: 'pipes' | 'socket' }>()

  constructor(paths: Paths) {
    this.#path = descriptorSocket(paths)
    this.#socket = this.#open()
  }

  #open(): number {
    rmSync(this.#path, { force: true })
    return listenUnix(this.#path, SOCK_DGRAM)
  }

  /** After its file was deleted. */
  reopen(): void {
    closeDescriptor(this.#socket)
    this.#socket = this.#open()
  }

  /** What a process has sent and nobody took: it was refused, or is gone, and whoever reads its pipes waits for us. */
  forget(pid: number): void {
    this.#drain()
    for (const token of this.#waiting.keys()) if (token.startsWith(`${pid}.`)) this.#close(token)
  }

  /** What was sent under a token; undefined when nothing was. The caller owns them. */
  take(token: string): number[] | undefined {
    const fds = this.#take(token, 'pipes')
    if (process.getuid?.() === 0) fds?.forEach(openToAll)
    return fds
  }

  /** A client's socket for descriptors that go to it; it never goes into a box. */
  takeSocket(token: string): number | undefined {
    return this.#take(token, 'socket')?.[0]
  }

  #take(token: string, kind: 'pipes' | 'socket'): number[] | undefined {
    this.#drain()
    const entry = this.#waiting.get(token)
    if (entry?.kind !== kind) return undefined
    this.#waiting.delete(token)
    return entry.fds
  }

  #drain(): void {
    for (;;) {
      const message = receiveDescriptors(this.#socket, MAX_TOKEN)
      if (!message) break
      const { fds } = message
      const [first] = fds
      const isSocket = fds.length === 1 && first !== undefined && descriptorIsSocket(first)
      // Only pipes without a name: a terminal, a folder or a file would give the box more than its bytes.
      if (isSocket || fds.every((fd) => descriptorType(fd) === 'pipe')) {
        const kind = isSocket ? 'socket' : 'pipes'
        const token = Buffer.from(message.bytes).toString()
        this.#close(token)
        this.#waiting.set(token, { fds, since: Date.now(), kind })
      } else fds.forEach(closeDescriptor)
    }
    for (const [token, { since }] of this.#waiting) if (Date.now() - since >= KEEP_MS) this.#close(token)
    clearTimeout(this.#tidy)
    if (this.#waiting.size) this.#tidy = setTimeout(() => this.#drain(), KEEP_MS).unref()
  }

  #close(token: string): void {
    this.#waiting.get(token)?.fds.forEach(closeDescriptor)
    this.#waiting.delete(token)
  }
}
