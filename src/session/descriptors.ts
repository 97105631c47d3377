/**
 * Receives descriptors from clients: the pipes of `coop run` and `coop exec`, which the box then uses directly. They
 * come over a socket of their own, because Bun's sockets drop SCM_RIGHTS.
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
const KEEP_MS = 10_000 // then descriptors are closed whose client died before its call
const LEAVE = 80 // descriptors that stay free for calls that are under way
const SHORT_MS = 20 // between two looks whether enough descriptors are free

/**
 * Opens a pipe to everybody. When root invokes coop, its pipes belong to an id that the box does not have, and opening
 * them again, as `echo >/dev/stderr` does, would be refused. Pipes have no name, so nobody else can reach them.
 */
function openToAll(fd: number): void {
  fchmodSync(fd, 0o666)
}

export class DescriptorDesk {
  readonly #path: string
  #socket: number
  readonly #waiting = new Map<string, { fds: number[]; since: number; kind: 'pipes' | 'socket' }>()
  /** Calls that wait for their descriptors, by token. */
  readonly #expected = new Map<string, () => void>()
  readonly #watcher: Watcher
  #watched: Watched
  #sweep: Timer | undefined
  #again: Timer | undefined

  readonly #isBusy: () => boolean

  /** `isBusy` returns whether boxes wait to be made, whose clients' descriptors were taken already. */
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
   * Reads messages as they arrive: the kernel keeps only ten (net.unix.max_dgram_qlen), and clients that died before
   * their call must not fill the socket for all others.
   */
  #watch(): Watched {
    const watched = this.#watcher.watch(this.#socket, () => this.#arrived())
    watched.arm({ reading: true, writing: false })
    return watched
  }

  #arrived(): void {
    if (this.#drain()) return this.#watched.arm({ reading: true, writing: false })
    // Too few descriptors are free: clients wait until others have ended.
    this.#again ??= setTimeout(() => {
      this.#again = undefined
      this.#arrived()
    }, SHORT_MS)
  }

  /** Opens the socket again after its file was deleted. */
  reopen(): void {
    this.#watched.stop()
    closeDescriptor(this.#socket)
    this.#socket = this.#open()
    this.#watched = this.#watch()
  }

  /** Closes descriptors that a refused or dead client left behind: readers of its pipes would wait for their end. */
  forget(pid: number | undefined): void {
    if (pid === undefined) return
    this.#drain()
    const isIts = (token: string): boolean => token.startsWith(`${pid}.`)
    for (const token of this.#waiting.keys()) if (isIts(token)) this.#close(token)
    for (const token of this.#expected.keys()) if (isIts(token)) this.#tell(token)
  }

  /**
   * Returns the descriptors sent under a token, which the caller then owns; undefined when none were sent. Waits while
   * too few descriptors are free: otherwise all clients would hold pipes, and none could get a box.
   */
  async take(token: string): Promise<number[] | undefined> {
    const fds = await this.#take(token, 'pipes')
    if (process.getuid?.() === 0) fds?.forEach(openToAll)
    return fds
  }

  /** Returns a client's socket, by which it receives descriptors. The socket never goes into a box. */
  async takeSocket(token: string): Promise<number | undefined> {
    return (await this.#take(token, 'socket'))?.[0]
  }

  async #take(token: string, kind: 'pipes' | 'socket'): Promise<number[] | undefined> {
    if (this.#expected.has(token)) return undefined // another call waits for this token
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

  /** Reads all messages. Returns false when too few descriptors are free to go on. */
  #drain(): boolean {
    for (;;) {
      if (!this.#hasRoom()) return false
      let message: ReturnType<typeof receiveDescriptors>
      try {
        message = receiveDescriptors(this.#socket, MAX_TOKEN)
      } catch {
        continue // this message is lost, and its call fails; the next ones are whole
      }
      if (!message) {
        // Clients send descriptors before their call: those that are not here now never come.
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
   * Returns whether the next message may be read. Most free descriptors are reserved for connections, which cannot be
   * refused. When few are left, descriptors come in for one client at a time.
   */
  #hasRoom(): boolean {
    const left = descriptorsLeft()
    if (left >= 0.75 * openFilesLimit()) return true
    return left >= LEAVE && !this.#waiting.size && !this.#isBusy()
  }

  #sweepSoon(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined
      // A living client on a busy machine may be slow to make its call.
      for (const [token, { since }] of this.#waiting)
        if (Date.now() - since >= KEEP_MS && !isAlive(token)) this.#close(token)
      if (this.#waiting.size) this.#sweepSoon()
    }, KEEP_MS)
    this.#sweep.unref()
  }
}

/** Returns whether the process that a token names (client/descriptor-socket.ts) is alive. */
function isAlive(token: string): boolean {
  const pid = Number(/^\d+/.exec(token)?.[0])
  return pid > 0 && existsSync(`/proc/${pid}`)
}
