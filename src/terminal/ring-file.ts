/**
 * The file of a ring as every process sees it that reads the terminal: the daemon, and a client whose user types
 * (client/direct-line.ts). A header, then the newest RING_SIZE bytes and some more at `offset % SPACE`.
 *
 * Output gets here without ever being in one process's memory alone: from the PTY into a pipe that init holds, too,
 * then from the pipe into the file, each with one splice(2). The header says before the second step what is under
 * way, so that the number of bytes left in the pipe tells who comes after a kill how far it got. Who does that has
 * the file's lock, which the kernel takes from a process that ends.
 *
 * Written with pwrite and not mapped: a mapped file that a full or truncated tmpfs takes away kills the
 * process with SIGBUS, a write that fails is an error one can go on from (docs/architecture.md).
 */
import { readSync } from 'node:fs'
import { SIGCONT, SIGKILL } from '../../ffi/abi/constants.ts'
import { readAt, writeAt } from '../../ffi/files.ts'
import { syscall } from '../../ffi/libc.ts'
import { bytesIn, splice } from '../../ffi/pipes.ts'
import { isReadable } from '../../ffi/pty.ts'
import { lockHolder, tryLockRecord, unlockRecord } from '../../ffi/record-lock.ts'
import { Scratch } from '../../ffi/scratch.ts'
import { isCurrentRing, RING_HEADER, stampRing } from '../store/ring-header.ts'

export const RING_SIZE = 256 * 1024 // bytes of output that a client that attaches can look back on
/** Bytes that a client may read before the daemon has seen them; it still finds RING_SIZE of older ones. */
export const AHEAD = 32 * 1024
const SPACE = RING_SIZE + AHEAD
const HEADER_SIZE = RING_HEADER
export const FILE_SIZE = HEADER_SIZE + SPACE
export const CHUNK = 64 * 1024 // bytes; what a pipe holds unless it is made larger

const PAGE = 4096 // bytes
const SHORT = 2048 // bytes
const EAGAIN = -11
const EINTR = -4

/** Where fields of the header are: little-endian, 64 bits each (ring-header.ts has the others). Written by who has the lock: */
const OFFSET = 8
const START = 16
const UNDER_WAY = 24
/** By the daemon: */
export const CLIENTS = 32
export const SCREEN = 40
export const TYPIST = 48
export const TYPED = 56
export const SHARED_TO = 64
/** By the client that types: */
const LEASE = 72
const LEASE_END = 80

export const MAX_LEASE_MS = 500 // that a client that is stopped or gone can keep the daemon from reading
const STEP_WAIT_US = 100
const PATIENT_STEPS = 200 // for who has the lock and no processor just now; then it is continued
const LAST_STEPS = 10_000 // a debugger or a freezer holds it; then it is killed
const MAX_STEPS = 20_000

const WORD = 2 ** 32

export class RingFile {
  readonly fd: number
  readonly pipe: number
  readonly #header: Uint8Array
  readonly #fields: DataView
  /** Its parts, by who writes them. */
  readonly #ofReader: Uint8Array
  readonly #ofDaemon: Uint8Array
  readonly #ofTypist: Uint8Array
  readonly #chunk = new Scratch(CHUNK)
  /** What is in the pipe is not all under way (`#gather` was the last that somebody did). */
  #left = false

  private constructor(fd: number, pipe: number, header: Uint8Array) {
    this.fd = fd
    this.pipe = pipe
    this.#header = header
    this.#fields = new DataView(header.buffer, header.byteOffset, header.length)
    this.#ofReader = header.subarray(OFFSET, CLIENTS)
    this.#ofDaemon = header.subarray(CLIENTS, LEASE)
    this.#ofTypist = header.subarray(LEASE, LEASE_END)
  }

  /** A new ring in a file that is empty. */
  static create(fd: number, pipe: number): RingFile {
    const file = new RingFile(fd, pipe, new Uint8Array(HEADER_SIZE))
    stampRing(file.#fields)
    writeAt(fd, file.#header, 0)
    return file
  }

  /** What is in the file; undefined when that is no ring of this version. Does not own the descriptors. */
  static open(fd: number, pipe: number): RingFile | undefined {
    const file = new RingFile(fd, pipe, new Uint8Array(HEADER_SIZE))
    return file.look() ? file : undefined
  }

  /** See how things stand now. False when this is the ring of the terminal no more. */
  look(): boolean {
    readAt(this.fd, this.#header, 0)
    return isCurrentRing(this.#fields)
  }

  /** Bytes ever written: the offset of the next one. As of the last look, as all that is told here. */
  get offset(): number {
    return this.get(OFFSET)
  }

  /** Nothing before this offset was kept. */
  get start(): number {
    return this.get(START)
  }

  /** One of the daemon's fields. */
  get(at: number): number {
    return this.#fields.getUint32(at, true) + WORD * this.#fields.getUint32(at + 4, true)
  }

  /** To be followed by `writeFields`. */
  set(at: number, value: number): void {
    this.#fields.setUint32(at, value % WORD, true)
    this.#fields.setUint32(at + 4, Math.floor(value / WORD), true)
  }

  writeFields(): void {
    writeAt(this.fd, this.#ofDaemon, CLIENTS)
  }

  /** Up to which offset a client that types may read; 0 when none may. */
  get sharedTo(): number {
    return this.get(SHARED_TO)
  }

  /** For how many milliseconds a client reads from now on: until then the daemon leaves that to it. */
  get leasedFor(): number {
    if (!this.sharedTo) return 0
    const left = this.get(LEASE) - Date.now()
    return left > 0 && left <= MAX_LEASE_MS ? left : 0 // the clock may have been set
  }

  lease(milliseconds: number): void {
    this.set(LEASE, milliseconds ? Date.now() + milliseconds : 0)
    writeAt(this.fd, this.#ofTypist, LEASE)
  }

  /** Take the lock if nobody has it, and see how things stand. */
  tryLock(): boolean {
    if (!tryLockRecord(this.fd)) return false
    if (!this.look()) {
      this.unlock()
      return false
    }
    const underWay = this.get(UNDER_WAY)
    const inPipe = bytesIn(this.pipe)
    this.#left = inPipe > 0
    // Who had the lock was killed: what is not in the pipe any more is in the file.
    if (underWay) this.#write(this.offset + underWay - inPipe, 0)
    return true
  }

  /**
   * Take the lock. Who has it needs some microseconds more; one that was stopped in these is continued, and in the
   * end killed, which loses nothing. Throws when there is no getting it.
   */
  lock(): void {
    for (let step = 0; !this.tryLock(); step++) {
      if (step === MAX_STEPS || !this.look()) throw new Error('the ring of a terminal is locked for good')
      isReadable(-1, STEP_WAIT_US) // a pause
      const signal = step === PATIENT_STEPS ? SIGCONT : step === LAST_STEPS ? SIGKILL : undefined
      const holder = signal && lockHolder(this.fd)
      if (holder) syscall('kill', holder, signal)
    }
  }

  unlock(): void {
    unlockRecord(this.fd)
  }

  /**
   * Take what `master` has, at most `limit` bytes; needs the lock. The result is only good until the next call;
   * undefined when there is nothing now, `gone` when there never will be. `early` is told as soon as nobody else can
   * come by these bytes any more, before the books are closed.
   */
  take(master: number, limit: number, early?: (bytes: Buffer) => void): Buffer | 'gone' | undefined {
    const left = this.#left ? bytesIn(this.pipe) : 0
    this.#left = left > CHUNK
    const size = Math.min(left || this.#gather(master, Math.min(limit, CHUNK)), CHUNK)
    if (size < 0) return 'gone'
    if (size === 0) return undefined
    const from = this.offset
    this.#write(from, size)
    const isKept = this.#store(from, size)
    const bytes = this.#chunk.first(size)
    if (isKept) this.readAt(from, bytes)
    early?.(bytes)
    this.#write(from + size, 0)
    return bytes
  }

  /** Add bytes; needs the lock. */
  append(bytes: Uint8Array): void {
    const kept = bytes.length > SPACE ? bytes.subarray(bytes.length - SPACE) : bytes
    const offset = this.offset + bytes.length
    const at = (offset - kept.length) % SPACE
    const first = Math.min(kept.length, SPACE - at)
    writeAt(this.fd, kept.subarray(0, first), HEADER_SIZE + at)
    writeAt(this.fd, kept.subarray(first), HEADER_SIZE)
    this.#write(offset, 0)
  }

  readAt(offset: number, bytes: Buffer): void {
    const at = offset % SPACE
    const first = Math.min(bytes.length, SPACE - at)
    const isSplit = first < bytes.length
    readAt(this.fd, isSplit ? bytes.subarray(0, first) : bytes, HEADER_SIZE + at)
    if (isSplit) readAt(this.fd, bytes.subarray(first), HEADER_SIZE)
  }

  /** The same in an empty file elsewhere, which is the ring from now on. */
  copyTo(fd: number): RingFile {
    this.lock()
    const all = Buffer.alloc(FILE_SIZE)
    readAt(this.fd, all, 0)
    writeAt(fd, all, 0)
    writeAt(this.fd, Buffer.alloc(4), 0) // for who has this one still
    this.unlock()
    return new RingFile(fd, this.pipe, new Uint8Array(all.subarray(0, HEADER_SIZE)))
  }

  /** The terminal into the pipe: `max` bytes at most. Negative when there never will be any. */
  #gather(master: number, max: number): number {
    let size = 0
    // A terminal gives a page at a time (asked for more, the kernel makes room for that each time), and what is done
    // next costs as much for one of these as for many.
    while (size < max) {
      const n = splice(master, this.pipe, Math.min(max - size, PAGE))
      if (n <= 0) return size > 0 || n === EAGAIN || n === EINTR ? size : -1
      size += n
      if (n < SHORT) break // all there is, most likely
    }
    return size
  }

  /** The pipe into the file. False when the disk took nothing: the bytes are in `#chunk` only. */
  #store(offset: number, size: number): boolean {
    for (let done = 0; done < size; ) {
      const at = (offset + done) % SPACE
      const n = splice(this.pipe, this.fd, Math.min(size - done, SPACE - at), HEADER_SIZE + at)
      if (n === EINTR || n === EAGAIN) continue
      if (n <= 0) {
        // The file takes no more (a copy-on-write disk that is full): the program and its clients go on without.
        this.readAt(offset, this.#chunk.first(done))
        readSync(this.pipe, this.#chunk.all, done, size - done, null)
        this.set(START, offset + size)
        return false
      }
      done += n
    }
    return true
  }

  #write(offset: number, underWay: number): void {
    this.set(OFFSET, offset)
    this.set(UNDER_WAY, underWay)
    writeAt(this.fd, this.#ofReader, OFFSET)
  }
}
