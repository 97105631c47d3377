/**
 * Types keys into the program's terminal and reads its output directly, without the daemon. Each process that must wake
 * up on the way costs as much time as all the rest, so the client waits for keys and output itself, and tells the
 * daemon a little later.
 *
 * For a moment after each key the client has a lease (ring-file.ts), and the daemon leaves reading to it. Correctness
 * does not depend on that: the reader holds the ring's lock, and a lease expires even when the client dies.
 */

import { receiveDescriptors } from '../../../ffi/descriptors.ts'
import { syscall } from '../../../ffi/libc.ts'
import { PollSet } from '../../../ffi/poll.ts'
import { closeDescriptor, writeNonblocking } from '../../../ffi/pty.ts'
import { Scratch } from '../../../ffi/scratch.ts'
import { clearTimer, openTimer, setTimer } from '../../../ffi/timer.ts'
import type { Paths } from '../../core/paths.ts'
import { CHUNK, MAX_LEASE_MS, RingFile } from '../../terminal/ring-file.ts'
import { sendSocket } from '../descriptor-socket.ts'
import type { Session } from '../session.ts'

const LEASE_MS = MAX_LEASE_MS
const TICK_MS = LEASE_MS / 2 // how often the daemon is told
/** After so many ticks the event loop gets a turn, and with it the garbage collector. */
const TURN_TICKS = 8
const HOLD_MS = 500 // after a key: a typing user presses the next one within this time
const INPUT = 64 * 1024 // bytes

const [STDIN, MASTER, SOCKET, TIMER] = [0, 1, 2, 3] as const

/** The parts of the shown terminal that the line needs. */
export interface LineUser {
  /** The offset of the next byte of output to show. */
  readonly shown: number
  /** Called with typed bytes, valid during the call. Returns false to release the line. */
  typed(bytes: Uint8Array): boolean
  /** Shows output without waiting for the user's terminal. Returns the bytes that it does not accept now. */
  show(bytes: Uint8Array): Uint8Array | undefined
  /** Shows the remaining bytes, however long that takes. */
  finish(left: Uint8Array): void
}

export class DirectLine {
  readonly #session: Session
  readonly #master: number
  readonly #ring: RingFile
  readonly #timer: number
  readonly #poll: PollSet
  readonly #input = new Scratch(INPUT)
  /** Typed bytes not reported yet; `#typedAt` is the output offset when the last was typed. */
  readonly #untold = new Scratch(INPUT)
  #untoldSize = 0
  #typedAt = 0
  #told = 0
  #holdUntil = 0
  #leasedUntil = 0

  private constructor(session: Session, master: number, ring: RingFile) {
    this.#session = session
    this.#master = master
    this.#ring = ring
    this.#timer = openTimer()
    this.#poll = new PollSet([0, master, session.descriptor, this.#timer])
  }

  /** Opens a line to the terminal that the session shows; undefined when that is not possible. */
  static async open(paths: Paths, session: Session): Promise<DirectLine | undefined> {
    const { socket, token } = await sendSocket(paths)
    try {
      await session.call('pty.direct', { descriptors: token })
      const fds = receiveDescriptors(socket, 1)?.fds ?? []
      const [master, pipe, file] = fds
      const ring = pipe === undefined || file === undefined ? undefined : RingFile.open(file, pipe)
      if (master !== undefined && ring) return new DirectLine(session, master, ring)
      fds.forEach(closeDescriptor)
      return undefined
    } finally {
      closeDescriptor(socket)
    }
  }

  /** Whether this line waits for the next key. */
  get isHeld(): boolean {
    return this.#leasedUntil > 0
  }

  /** Writes bytes to the program and returns how many it took; 0 when the daemon has to write them. */
  type(bytes: Uint8Array, shown: number): number {
    if (!this.#renew(shown)) return 0
    if (bytes.length > INPUT) return 0
    const n = writeNonblocking(this.#master, bytes)
    if (n <= 0) return 0
    if (this.#untoldSize + bytes.length > INPUT) this.#tell(shown)
    this.#untold.all.set(bytes, this.#untoldSize)
    this.#untoldSize += n
    this.#typedAt = shown
    this.#holdUntil = performance.now() + HOLD_MS
    return n
  }

  /** Waits for keys and output. Returns false when the line was released; otherwise call it again. */
  serve(user: LineUser): boolean {
    if (!this.isHeld) return false
    // A signal ends the wait: its handler needs the event loop.
    for (let ticks = 0; this.#poll.wait(); ) {
      if (this.#poll.found(SOCKET)) break
      if (this.#poll.found(TIMER)) {
        clearTimer(this.#timer)
        if (++ticks === TURN_TICKS) break
        if (!this.#tick(user)) return false
      }
      const output = this.#poll.found(MASTER)
      if (output === 'end' || (output && !this.#show(user))) return this.release(user.shown)
      const keys = this.#poll.found(STDIN)
      if (keys === 'end' || (keys && !this.#read(user))) return this.release(user.shown)
    }
    return this.#tick(user)
  }

  /** Releases the line, so that the daemon reads again. */
  release(shown: number): false {
    if (!this.isHeld) return false
    this.#leasedUntil = 0
    setTimer(this.#timer, 0)
    this.#ring.lease(0)
    this.#tell(shown)
    return false
  }

  close(): void {
    this.#leasedUntil = 0
    for (const fd of [this.#timer, this.#master, this.#ring.pipe, this.#ring.fd]) closeDescriptor(fd)
  }

  #tick({ shown }: LineUser): boolean {
    if (performance.now() >= this.#holdUntil || !this.#renew(shown)) return this.release(shown)
    if (this.#untoldSize || shown !== this.#told) this.#tell(shown)
    return true
  }

  #renew(shown: number): boolean {
    const now = performance.now()
    if (now < this.#leasedUntil - TICK_MS) return true
    if (!this.#ring.look() || this.#ring.offset !== shown || this.#ring.sharedTo <= shown) return false
    this.#ring.lease(LEASE_MS)
    if (!this.isHeld) setTimer(this.#timer, TICK_MS)
    this.#leasedUntil = now + LEASE_MS
    return true
  }

  #read(user: LineUser): boolean {
    const n = syscall('read', 0, this.#input.all, INPUT)
    return n > 0 && user.typed(this.#input.first(n))
  }

  /** Shows new output. Returns false when the daemon has read it first, or must do so. */
  #show(user: LineUser): boolean {
    const ring = this.#ring
    const { shown } = user
    if (!ring.tryLock()) return false
    let left: Uint8Array | undefined
    try {
      const room = ring.offset === shown ? Math.min(ring.sharedTo - shown, CHUNK) : 0
      const show = (bytes: Uint8Array): void => {
        left = user.show(bytes)
      }
      if (room <= 0 || ring.take(this.#master, room, show) === 'gone') return false
    } finally {
      ring.unlock()
    }
    if (left) user.finish(left) // after unlocking: the daemon must not wait for the user's terminal
    return true
  }

  #tell(shown: number): void {
    this.#session.typed({ read: shown, typedAt: this.#typedAt, bytes: this.#untold.first(this.#untoldSize) })
    this.#untoldSize = 0
    this.#told = shown
  }
}
