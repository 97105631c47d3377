/**
 * Descriptors that clients hand over: the pipes of `coop run` and `coop exec`, which the box then uses
 * directly. A socket of its own, because Bun's sockets drop what SCM_RIGHTS brings; read only when a message
 * on a connection says that something is there.
 */
import { existsSync, fchmodSync, rmSync } from 'node:fs'
import { SOCK_DGRAM } from '../../ffi/abi/constants.ts'
import { listenUnix, receiveDescriptors } from '../../ffi/descriptors.ts'
import { descriptorIsSocket, descriptorType } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Watched, Watcher } from '../../ffi/watcher.ts'
import { descriptorSocket, type Paths } from '../core/paths.ts'
import { descriptorsLeft, openFilesLimit } from '../engine/room.ts'

const MAX_TOKEN = 64
const KEEP_MS = 10_000 // for a client that died between sending descriptors and asking
const LEAVE = 80 // descriptors that must stay free for what clients have asked for already
const SHORT_MS = 20 // before the desk looks again whether there are enough

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
  readonly #waiting = new Map<string, { fds: number[]; since: number; kind: 'pipes' | 'socket' }>()
  /** Calls whose descriptors are still in the socket, by their token. */
  readonly #expected = new Map<string, () => void>()
  readonly #watcher: Watcher
  #watched: Watched
  #sweep: Timer | undefined
  #again: Timer | undefined

  readonly #isBusy: () => boolean

  /** `isBusy`: whether some that were taken wait for their turn. */
  constructor(paths: Paths, watcher: Watcher, isBusy: () => boolean) {
    this.#path = descriptorSocket(paths)
    this.#watcher = watcher
    this.#isBusy = isBusy
    this.#socket = this.#open()
    this.#watched = this.#watch()
  }

  #open(): number {
    rmSync(this.#path, { force: true })
    return listenUnix(this.#path, SOCK_DGRAM)
  }

  /**
   * The socket is emptied as it fills: the kernel keeps ten messages (net.unix.max_dgram_qlen), and clients that
   * died before they asked must not fill it for all others.
   */
  #watch(): Watched {
    const watched = this.#watcher.watch(this.#socket, () => this.#arrived())
    watched.arm({ reading: true, writing: false })
    return watched
  }

  #arrived(): void {
    if (this.#drain()) return this.#watched.arm({ reading: true, writing: false })
    // Clients wait with theirs until others have ended.
    this.#again ??= setTimeout(() => {
      this.#again = undefined
      this.#arrived()
    }, SHORT_MS)
  }

  /** After its file was deleted. */
  reopen(): void {
    this.#watched.stop()
    closeDescriptor(this.#socket)
    this.#socket = this.#open()
    this.#watched = this.#watch()
  }

  /** What a process has sent and nobody took: it was refused, or is gone, and whoever reads its pipes waits for us. */
  forget(pid: number | undefined): void {
    if (pid === undefined) return
    this.#drain()
    const isIts = (token: string): boolean => token.startsWith(`${pid}.`)
    for (const token of this.#waiting.keys()) if (isIts(token)) this.#close(token)
    for (const token of this.#expected.keys()) if (isIts(token)) this.#tell(token)
  }

  /**
   * What was sent under a token; undefined when nothing was. The caller owns them. It waits while there are too few
   * descriptors: had each client that asks its turn at once, all of them would hold pipes and none could get a box.
   */
  async take(token: string): Promise<number[] | undefined> {
    const fds = await this.#take(token, 'pipes')
    if (process.getuid?.() === 0) fds?.forEach(openToAll)
    return fds
  }

  /** A client's socket for descriptors that go to it; it never goes into a box. */
  async takeSocket(token: string): Promise<number | undefined> {
    return (await this.#take(token, 'socket'))?.[0]
  }

  async #take(token: string, kind: 'pipes' | 'socket'): Promise<number[] | undefined> {
    if (this.#expected.has(token)) return undefined // another call has named it
    if (!this.#waiting.has(token)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#expected.set(token, resolve)
      this.#arrived()
      await promise
    }
    const entry = this.#waiting.get(token)
    if (entry?.kind !== kind) return undefined
    this.#waiting.delete(token)
    return entry.fds
  }

  #tell(token: string): void {
    this.#expected.get(token)?.()
    this.#expected.delete(token)
  }

  /** Read what was sent. False when there are too few descriptors to go on. */
  #drain(): boolean {
    for (;;) {
      if (!this.#hasRoom()) return false
      let message: ReturnType<typeof receiveDescriptors>
      try {
        message = receiveDescriptors(this.#socket, MAX_TOKEN)
      } catch {
        continue // that one is lost, as its client is told; the next ones are whole
      }
      if (!message) {
        // A client sends before it asks: what is not here now never comes.
        for (const token of [...this.#expected.keys()]) this.#tell(token)
        return true
      }
      const { fds } = message
      const [first] = fds
      const isSocket = fds.length === 1 && first !== undefined && descriptorIsSocket(first)
      const name = Buffer.from(message.bytes).toString()
      // Only pipes without a name: a terminal, a folder or a file would give the box more than its bytes.
      if (isSocket || fds.every((fd) => descriptorType(fd) === 'pipe')) {
        const kind = isSocket ? 'socket' : 'pipes'
        this.#close(name)
        this.#waiting.set(name, { fds, since: Date.now(), kind })
        this.#sweepSoon()
      } else fds.forEach(closeDescriptor)
      this.#tell(name)
    }
  }

  #close(token: string): void {
    this.#waiting.get(token)?.fds.forEach(closeDescriptor)
    this.#waiting.delete(token)
  }

  /**
   * Most are for connections: clients come in before their descriptors, and none can be kept out. When few are left,
   * descriptors come in one client after the other.
   */
  #hasRoom(): boolean {
    const left = descriptorsLeft()
    if (left >= 0.75 * openFilesLimit()) return true
    return left >= LEAVE && !this.#waiting.size && !this.#isBusy()
  }

  #sweepSoon(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined
      // On a machine that is busy a client that lives may take long until it asks.
      for (const [token, { since }] of this.#waiting)
        if (Date.now() - since >= KEEP_MS && !isAlive(token)) this.#close(token)
      if (this.#waiting.size) this.#sweepSoon()
    }, KEEP_MS)
    this.#sweep.unref()
  }
}

/** Whether the process that a token names (client/descriptor-socket.ts) is there. */
function isAlive(token: string): boolean {
  const pid = Number(/^\d+/.exec(token)?.[0])
  return pid > 0 && existsSync(`/proc/${pid}`)
}
