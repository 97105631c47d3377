/**
 * Descriptors that clients hand over: the pipes of `coop run` and `coop exec`, which the box then uses
 * directly. A socket of its own, because Bun's sockets drop what SCM_RIGHTS brings; read only when a message
 * on a connection says that something is there.
 */
import { fchmodSync, rmSync } from 'node:fs'
import { listenUnix, receiveDescriptors, SOCK_DGRAM } from '../../ffi/descriptors.ts'
import { descriptorType } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { descriptorSocket, type Paths } from '../config/paths.ts'

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
  readonly #socket: number
  readonly #waiting = new Map<string, { fds: number[]; since: number }>()

  constructor(paths: Paths) {
    rmSync(descriptorSocket(paths), { force: true })
    this.#socket = listenUnix(descriptorSocket(paths), SOCK_DGRAM)
  }

  /** What was sent under a token; undefined when nothing was. The caller owns them. */
  take(token: string): number[] | undefined {
    this.#drain()
    const entry = this.#waiting.get(token)
    this.#waiting.delete(token)
    if (process.getuid?.() === 0) entry?.fds.forEach(openToAll)
    return entry?.fds
  }

  #drain(): void {
    for (;;) {
      const message = receiveDescriptors(this.#socket, MAX_TOKEN)
      if (!message) break
      // Only pipes without a name: a terminal, a folder or a file would give the box more than its bytes.
      if (message.fds.every((fd) => descriptorType(fd) === 'pipe'))
        this.#waiting.set(Buffer.from(message.bytes).toString(), { fds: message.fds, since: Date.now() })
      else message.fds.forEach(closeDescriptor)
    }
    for (const [token, { fds, since }] of this.#waiting) {
      if (Date.now() - since < KEEP_MS) continue
      fds.forEach(closeDescriptor)
      this.#waiting.delete(token)
    }
  }
}
