/**
 * The scrollback of one PTY: a file of fixed size in the runtime folder that outlives the daemon. A header with
 * the absolute stream offset, then the newest RING_SIZE bytes at `offset % RING_SIZE`.
 *
 * Output gets here without ever being in the daemon's memory alone: from the PTY into a pipe that init holds,
 * too, then from the pipe into the file, each with one splice(2). The header says before the second step what is
 * under way, so that the number of bytes left in the pipe tells a daemon that comes after a kill how far it got.
 *
 * Written with pwrite and not mapped: a mapped file that a full or truncated tmpfs takes away kills the
 * process with SIGBUS, a write that fails is an error one can go on from (docs/architecture.md).
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { allocate } from '../../ffi/files.ts'
import { bytesIn, splice } from '../../ffi/pipes.ts'

export const RING_SIZE = 256 * 1024 // bytes of output that a client that attaches can look back on
const HEADER_SIZE = 64
const MAGIC = 0x636f6f70 // "coop"
const VERSION = 3
const CHUNK = 64 * 1024 // bytes; what a pipe holds unless it is made larger
const SHORT = 2048 // bytes
const EAGAIN = -11
const EINTR = -4

/** Where fields of the header are: little-endian, 64 bits from OFFSET on. */
const OFFSET = 8
const START = 16
const UNDER_WAY = 24
const CLIENTS = 32
const SCREEN = 40
const TYPIST = 48
const TYPED = 56

/** Undefined for what is no ring of this version. */
function readHeader(fd: number) {
  const bytes = Buffer.alloc(HEADER_SIZE)
  readSync(fd, bytes, 0, HEADER_SIZE, 0)
  if (bytes.readUInt32LE(0) !== MAGIC || bytes.readUInt32LE(4) !== VERSION) return undefined
  const field = (at: number): number => Number(bytes.readBigUInt64LE(at))
  return { bytes, offset: field(OFFSET), start: field(START), underWay: field(UNDER_WAY) }
}

/** How far a client's input has got. */
export interface Typed {
  readonly pid: number
  readonly offset: number
}

export class Ring {
  #fd: number
  readonly #pipe: number
  readonly #header = Buffer.alloc(HEADER_SIZE)
  readonly #chunk = Buffer.allocUnsafe(CHUNK)
  #offset = 0
  #start = 0
  /** Something may be in the pipe that an earlier daemon did not get to. */
  #left = false

  private constructor(fd: number, pipe: number) {
    this.#fd = fd
    this.#pipe = pipe
    this.#header.writeUInt32LE(MAGIC, 0)
    this.#header.writeUInt32LE(VERSION, 4)
  }

  /** A new, empty ring. Owns `pipe` (`heldPipe`). Throws when there is no room for all of it. */
  static create(path: string, pipe: number): Ring {
    const fd = openSync(path, 'wx+', 0o600)
    try {
      allocate(fd, HEADER_SIZE + RING_SIZE) // a disk that is full says so now, not when output would be lost
      const ring = new Ring(fd, pipe)
      ring.#writeHeader(0)
      return ring
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
      const header = readHeader(fd)
      if (!header) return undefined
      const ring = new Ring(fd, -1)
      ring.#offset = header.offset
      ring.#start = header.start
      return ring.read().bytes
    } finally {
      closeSync(fd)
    }
  }

  /** The ring that an earlier daemon left; a new one when it cannot be used. `pipe` is the one init held. */
  static open(path: string, pipe: number): Ring {
    let fd: number
    try {
      fd = openSync(path, 'r+')
    } catch {
      return Ring.create(path, pipe)
    }
    const ring = new Ring(fd, pipe)
    const header = readHeader(fd)
    if (!header) {
      closeSync(fd)
      rmSync(path, { force: true })
      return Ring.create(path, pipe)
    }
    const { underWay } = header
    // What is not in the pipe any more is in the file.
    ring.#offset = header.offset + (underWay ? underWay - bytesIn(pipe) : 0)
    ring.#start = header.start
    ring.#left = true
    for (const at of [CLIENTS, SCREEN, TYPIST, TYPED]) header.bytes.copy(ring.#header, at, at, at + 8)
    ring.#writeHeader(0)
    return ring
  }

  /** Bytes ever written: the offset of the next one. */
  get offset(): number {
    return this.#offset
  }

  /** The first offset that is still there. */
  get start(): number {
    return Math.max(this.#start, this.#offset - RING_SIZE)
  }

  /** How many clients watched when this was last told: after a crash they come back. */
  get clients(): number {
    return Number(this.#header.readBigUInt64LE(CLIENTS))
  }

  /** From where on output makes up the screen (screen-keeper.ts). */
  get screenFrom(): number {
    return Number(this.#header.readBigUInt64LE(SCREEN))
  }

  /** Written with the next header. */
  set screenFrom(offset: number) {
    this.#header.writeBigUInt64LE(BigInt(offset), SCREEN)
  }

  set clients(count: number) {
    this.#header.writeBigUInt64LE(BigInt(count), CLIENTS)
    this.#writeHeader(0)
  }

  /** How much a client had typed when it typed last, of all its input; 0 when somebody else was the last. */
  typedBy(pid: number): number {
    if (Number(this.#header.readBigUInt64LE(TYPIST)) !== pid) return 0
    return Number(this.#header.readBigUInt64LE(TYPED))
  }

  /** Written with the next header (`noteTyped`). */
  setTyped({ pid, offset }: Typed): void {
    this.#header.writeBigUInt64LE(BigInt(pid), TYPIST)
    this.#header.writeBigUInt64LE(BigInt(offset), TYPED)
  }

  noteTyped(): void {
    this.#writeHeader(0)
  }

  /**
   * Take what `master` has, at most `limit` bytes. The result is only good until the next call; undefined when
   * there is nothing now, `gone` when there never will be.
   */
  take(master: number, limit: number): Buffer | 'gone' | undefined {
    const left = this.#left ? bytesIn(this.#pipe) : 0
    this.#left = left > CHUNK
    const size = Math.min(left || this.#gather(master, Math.min(limit, CHUNK)), CHUNK)
    if (size < 0) return 'gone'
    if (size === 0) return undefined
    this.#writeHeader(size)
    const from = this.#offset
    this.#store(size)
    this.#offset += size
    this.#writeHeader(0)
    if (this.start > from) return this.#chunk.subarray(0, size) // the disk took nothing: read aside, below
    this.#readAt(from, this.#chunk.subarray(0, size))
    return this.#chunk.subarray(0, size)
  }

  /** The terminal into the pipe: `max` bytes at most. Negative when there never will be any. */
  #gather(master: number, max: number): number {
    let size = 0
    // A terminal gives 4 KiB at a time, and what is done next costs as much for one of these as for many.
    while (size < max) {
      const n = splice(master, this.#pipe, max - size)
      if (n <= 0) return size > 0 || n === EAGAIN || n === EINTR ? size : -1
      size += n
      if (n < SHORT) break // all there is, most likely
    }
    return size
  }

  /** The pipe into the file. */
  #store(size: number): void {
    for (let done = 0; done < size; ) {
      const at = (this.#offset + done) % RING_SIZE
      const n = splice(this.#pipe, this.#fd, Math.min(size - done, RING_SIZE - at), HEADER_SIZE + at)
      if (n === EINTR || n === EAGAIN) continue
      if (n <= 0) {
        // The file takes no more (a copy-on-write disk that is full): the program and its clients go on without.
        this.#readAt(this.#offset, this.#chunk.subarray(0, done))
        readSync(this.#pipe, this.#chunk, done, size - done, null)
        this.#start = this.#offset + size
        return
      }
      done += n
    }
  }

  /** Add what coop itself says. */
  append(bytes: Uint8Array): void {
    const kept = bytes.length > RING_SIZE ? bytes.subarray(bytes.length - RING_SIZE) : bytes
    const at = (this.#offset + bytes.length - kept.length) % RING_SIZE
    const first = Math.min(kept.length, RING_SIZE - at)
    writeSync(this.#fd, kept, 0, first, HEADER_SIZE + at)
    if (first < kept.length) writeSync(this.#fd, kept, first, kept.length - first, HEADER_SIZE)
    this.#offset += bytes.length
    this.#writeHeader(0)
  }

  /** From `from` on, or from the oldest byte that is still there; at most `size` bytes. */
  read(from = 0, size = RING_SIZE): { readonly from: number; readonly bytes: Buffer } {
    const start = Math.min(Math.max(from, this.start), this.#offset)
    const bytes = Buffer.allocUnsafe(Math.min(this.#offset - start, size))
    this.#readAt(start, bytes)
    return { from: start, bytes }
  }

  /** Have the file once more at `path`, after it was deleted there. */
  moveTo(path: string): void {
    const fd = openSync(path, 'wx+', 0o600)
    allocate(fd, HEADER_SIZE + RING_SIZE)
    const all = Buffer.alloc(HEADER_SIZE + RING_SIZE)
    readSync(this.#fd, all, 0, all.length, 0)
    writeSync(fd, all, 0, all.length, 0)
    closeSync(this.#fd)
    this.#fd = fd
  }

  close(): void {
    closeSync(this.#fd)
    closeSync(this.#pipe)
  }

  #readAt(offset: number, bytes: Buffer): void {
    const at = offset % RING_SIZE
    const first = Math.min(bytes.length, RING_SIZE - at)
    if (first) readSync(this.#fd, bytes, 0, first, HEADER_SIZE + at)
    if (first < bytes.length) readSync(this.#fd, bytes, first, bytes.length - first, HEADER_SIZE)
  }

  #writeHeader(underWay: number): void {
    this.#header.writeBigUInt64LE(BigInt(this.#offset), OFFSET)
    this.#header.writeBigUInt64LE(BigInt(this.#start), START)
    this.#header.writeBigUInt64LE(BigInt(underWay), UNDER_WAY)
    writeSync(this.#fd, this.#header, 0, HEADER_SIZE, 0)
  }
}
