/**
 * The scrollback of one PTY as the daemon holds it: a file of fixed size in the runtime folder that outlives the
 * daemon (ring-file.ts), and how far in the terminal's stream this daemon has got.
 */
import { closeSync, openSync, rmSync } from 'node:fs'
import { allocate } from '../../ffi/files.ts'
import { refuseNewerRing, upgradeRing } from '../store/ring.ts'
import {
  CHUNK,
  CLIENTS,
  FILE_SIZE,
  RING_SIZE,
  RingFile,
  SCREEN,
  SHARED_TO,
  TYPED,
  TYPIST,
} from './ring-file.ts'

export { AHEAD, RING_SIZE } from './ring-file.ts'

/** How far a client's input has got. */
export interface Typed {
  /** Who types: a number that its client keeps when it comes back. */
  readonly typist: number
  readonly offset: number
}

/** What there is to take of a terminal. */
export type Taken =
  /** `byClient`: the client that types has read it, and shows it itself. Good until the next call. */
  | { readonly bytes: Buffer; readonly byClient: boolean }
  /** The client that types reads for so many milliseconds. */
  | { readonly leasedFor: number }
  /** There never will be anything. */
  | 'gone'

export class Ring {
  #file: RingFile
  #offset: number

  private constructor(file: RingFile) {
    this.#file = file
    this.#offset = file.offset
  }

  /** A new, empty ring. Owns `pipe` (`heldPipe`). Throws when there is no room for all of it. */
  static create(path: string, pipe: number): Ring {
    const fd = openSync(path, 'wx+', 0o600)
    try {
      allocate(fd, FILE_SIZE) // a disk that is full says so now, not when output would be lost
      return new Ring(RingFile.create(fd, pipe))
    } catch (error) {
      closeSync(fd)
      rmSync(path, { force: true })
      throw error
    }
  }

  /** What is in a ring that nobody writes any more; undefined when there is none. */
  static contents(path: string): Buffer | undefined {
    let fd: number
    try {
      fd = openSync(path, 'r')
    } catch {
      return undefined
    }
    try {
      const file = RingFile.open(fd, -1)
      return file && new Ring(file).read().bytes
    } finally {
      closeSync(fd)
    }
  }

  /**
   * The ring that an earlier daemon left; a new one when it cannot be used. `pipe` is the one init held. A newer release's
   * is never opened: its box is not adopted (box.ts).
   */
  static open(path: string, pipe: number): Ring {
    refuseNewerRing(path)
    upgradeRing(path)
    let fd: number
    try {
      fd = openSync(path, 'r+')
    } catch {
      return Ring.create(path, pipe)
    }
    const file = RingFile.open(fd, pipe)
    if (!file) {
      closeSync(fd)
      rmSync(path, { force: true })
      return Ring.create(path, pipe)
    }
    file.set(SHARED_TO, 0) // until its clients are back
    file.writeFields()
    file.lock()
    file.unlock()
    return new Ring(file)
  }

  /** What a client needs that reads by itself. */
  get descriptors(): readonly number[] {
    return [this.#file.pipe, this.#file.fd]
  }

  /** How far this daemon has got: the offset of the next byte to take. */
  get offset(): number {
    return this.#offset
  }

  /** The first offset that is still there. */
  get start(): number {
    return Math.max(this.#file.start, this.#offset - RING_SIZE)
  }

  /** How many clients watched when this was last told: after a crash they come back. */
  get clients(): number {
    return this.#file.get(CLIENTS)
  }

  set clients(count: number) {
    this.#set(CLIENTS, count)
  }

  /** From where on output makes up the screen (screen-keeper.ts). */
  get screenFrom(): number {
    return this.#file.get(SCREEN)
  }

  set screenFrom(offset: number) {
    this.#set(SCREEN, offset)
  }

  /** Up to which offset the client that types may read by itself; 0: not at all. */
  get sharedTo(): number {
    return this.#file.sharedTo
  }

  set sharedTo(offset: number) {
    this.#set(SHARED_TO, offset)
  }

  /** How much a client had typed when it typed last, of all its input; 0 when somebody else was the last. */
  typedBy(typist: number): number {
    return this.#file.get(TYPIST) === typist ? this.#file.get(TYPED) : 0
  }

  setTyped({ typist, offset }: Typed): void {
    this.#file.set(TYPIST, typist)
    this.#set(TYPED, offset)
  }

  #set(field: number, value: number): void {
    this.#file.set(field, value)
    this.#file.writeFields()
  }

  /** What comes next of the terminal `master`: what a client has read, or at most `limit` bytes that nobody has. */
  take(master: number, limit: number): Taken | undefined {
    this.#file.lock()
    try {
      const { leasedFor } = this.#file
      if (leasedFor) return { leasedFor }
      const known = this.#known(this.#file.offset)
      if (known) return { bytes: known, byClient: true }
      const bytes = this.#file.take(master, limit)
      this.#offset = this.#file.offset
      return bytes && (bytes === 'gone' ? bytes : { bytes, byClient: false })
    } finally {
      this.#file.unlock()
    }
  }

  /** What the client that types has read before `offset`, as long as there is any left. */
  takeKnown(offset: number): Buffer | undefined {
    this.#file.look()
    return this.#known(Math.min(offset, this.#file.offset))
  }

  #known(offset: number): Buffer | undefined {
    const size = Math.min(offset - this.#offset, CHUNK)
    if (size <= 0) return undefined
    const bytes = Buffer.allocUnsafe(size)
    this.#file.readAt(this.#offset, bytes)
    this.#offset += size
    return bytes
  }

  /** Add what coop itself says. False when there is something to be taken first. */
  append(bytes: Uint8Array): boolean {
    this.#file.lock()
    try {
      if (this.#file.offset !== this.#offset) return false
      this.#file.append(bytes)
      this.#offset = this.#file.offset
      return true
    } finally {
      this.#file.unlock()
    }
  }

  /** From `from` on, or from the oldest byte that is still there; at most `size` bytes. */
  read(from = 0, size = RING_SIZE): { readonly from: number; readonly bytes: Buffer } {
    const start = Math.min(Math.max(from, this.start), this.#offset)
    const bytes = Buffer.allocUnsafe(Math.min(this.#offset - start, size))
    this.#file.readAt(start, bytes)
    return { from: start, bytes }
  }

  /** Have the file once more at `path`, after it was deleted there. */
  moveTo(path: string): void {
    const fd = openSync(path, 'wx+', 0o600)
    allocate(fd, FILE_SIZE)
    const before = this.#file
    this.#file = before.copyTo(fd)
    closeSync(before.fd)
  }

  close(): void {
    for (const fd of this.descriptors) closeSync(fd)
  }
}
