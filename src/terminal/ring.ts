/**
 * The scrollback of one PTY in the daemon: a file of fixed size in the runtime folder that outlives the daemon
 * (ring-file.ts), and the offset in the terminal's stream that this daemon has reached.
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

/** The progress of a client's input. */
export interface Typed {
  /** A number for the client, which it keeps when it returns. */
  readonly typist: number
  readonly offset: number
}

/** The next output of a terminal. */
export type Taken =
  /** `byClient`: the typing client has read it, and shows it itself. Valid until the next call. */
  | { readonly bytes: Buffer; readonly byClient: boolean }
  /** The typing client reads for so many more milliseconds. */
  | { readonly leasedFor: number }
  /** There never will be more. */
  | 'gone'

export class Ring {
  #file: RingFile
  #offset: number

  private constructor(file: RingFile) {
    this.#file = file
    this.#offset = file.offset
  }

  /** Makes a new, empty ring. Owns `pipe` (`heldPipe`). Throws if there is not enough space for all of it. */
  static create(path: string, pipe: number): Ring {
    const fd = openSync(path, 'wx+', 0o600)
    try {
      allocate(fd, FILE_SIZE) // a full disk fails here, not later when output would be lost
      return new Ring(RingFile.create(fd, pipe))
    } catch (error) {
      closeSync(fd)
      rmSync(path, { force: true })
      throw error
    }
  }

  /** The bytes of a ring that nobody writes any more; undefined if there is none. */
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
   * The ring of an earlier daemon, or a new one if that cannot be used. `pipe` is the one that init held. A ring of a
   * newer release is never opened, because its box is not adopted (box.ts).
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
    file.set(SHARED_TO, 0) // until its clients return
    file.writeFields()
    file.lock()
    file.unlock()
    return new Ring(file)
  }

  /** The descriptors for a client that reads by itself. */
  get descriptors(): readonly number[] {
    return [this.#file.pipe, this.#file.fd]
  }

  /** The offset of the next byte that this daemon takes. */
  get offset(): number {
    return this.#offset
  }

  /** The first offset that is still kept. */
  get start(): number {
    return Math.max(this.#file.start, this.#offset - RING_SIZE)
  }

  /** The last known number of watching clients, which return after a crash. */
  get clients(): number {
    return this.#file.get(CLIENTS)
  }

  set clients(count: number) {
    this.#set(CLIENTS, count)
  }

  /** The offset from which output makes up the screen (screen-keeper.ts). */
  get screenFrom(): number {
    return this.#file.get(SCREEN)
  }

  set screenFrom(offset: number) {
    this.#set(SCREEN, offset)
  }

  /** The offset up to which the typing client may read by itself; 0: not at all. */
  get sharedTo(): number {
    return this.#file.sharedTo
  }

  set sharedTo(offset: number) {
    this.#set(SHARED_TO, offset)
  }

  /** The amount of input that a client had typed by its latest input; 0 if another client typed last. */
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

  /** The next output of terminal `master`: bytes that a client has read, or at most `limit` unread bytes. */
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

  /** Bytes before `offset` that the typing client has read; undefined when no more are left. */
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

  /** Add a text of coop itself. Returns false if output must be taken first. */
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

  /** At most `size` bytes from `from`, or from the oldest byte that is still kept. */
  read(from = 0, size = RING_SIZE): { readonly from: number; readonly bytes: Buffer } {
    const start = Math.min(Math.max(from, this.start), this.#offset)
    const bytes = Buffer.allocUnsafe(Math.min(this.#offset - start, size))
    this.#file.readAt(start, bytes)
    return { from: start, bytes }
  }

  /** Put the file at `path` again, after it was deleted there. */
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
