/**
 * The file of a ring, as seen by every process that reads the terminal: the daemon, and a client whose user types
 * (client/direct-line.ts). It has a header, then the newest RING_SIZE bytes and some more at `offset % SPACE`.
 *
 * Output gets here without ever being only in one process's memory: from the PTY into a pipe that init also holds, and
 * from the pipe into the file, each with one splice(2). Before the second step the header records the bytes under way.
 * After a kill, the number of bytes left in the pipe therefore tells how far that process got. Whoever does these steps
 * has the file's lock, which the kernel releases when a process ends.
 *
 * Written with pwrite and not mapped: when a tmpfs is full or truncated, a mapped file kills the process with SIGBUS,
 * while a failed write is an error that can be handled (docs/architecture.md).
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

export const RING_SIZE = 256 * 1024 // bytes of earlier output for a client that attaches
/** Bytes that a client may read before the daemon has seen them. It still finds RING_SIZE older bytes. */
export const AHEAD = 32 * 1024
const SPACE = RING_SIZE + AHEAD
const HEADER_SIZE = RING_HEADER
export const FILE_SIZE = HEADER_SIZE + SPACE
export const CHUNK = 64 * 1024 // bytes; the default size of a pipe

const PAGE = 4096 // bytes
const SHORT = 2048 // bytes
const EAGAIN = -11
const EINTR = -4

/** Offsets of header fields: little-endian, 64 bits each (more in ring-header.ts). Written by the lock's holder: */
const OFFSET = 8
const START = 16
const UNDER_WAY = 24
/** Written by the daemon: */
export const CLIENTS = 32
export const SCREEN = 40
export const TYPIST = 48
export const TYPED = 56
export const SHARED_TO = 64
/** Written by the client that types: */
const LEASE = 72
const LEASE_END = 80

export const MAX_LEASE_MS = 500 // for which a stopped or dead client can keep the daemon from reading
const STEP_WAIT_US = 100
const PATIENT_STEPS = 200 // for a holder of the lock without a processor; then it gets SIGCONT
const LAST_STEPS = 10_000 // then a debugger or a freezer has stopped it, and it gets SIGKILL
const MAX_STEPS = 20_000

const WORD = 2 ** 32

export class RingFile {
  readonly fd: number
  readonly pipe: number
  readonly #header: Uint8Array
  readonly #fields: DataView
  /** The header's parts, by writer. */
  readonly #ofReader: Uint8Array
  readonly #ofDaemon: Uint8Array
  readonly #ofTypist: Uint8Array
  readonly #chunk = new Scratch(CHUNK)
  /** The pipe has bytes that are not recorded as under way: the last step of its writer was `#gather`. */
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

  /** Makes a new ring in an empty file. */
  static create(fd: number, pipe: number): RingFile {
    const file = new RingFile(fd, pipe, new Uint8Array(HEADER_SIZE))
    stampRing(file.#fields)
    writeAt(fd, file.#header, 0)
    return file
  }

  /** Opens a ring's file; undefined if it is not a ring of this version. Does not own the descriptors. */
  static open(fd: number, pipe: number): RingFile | undefined {
    const file = new RingFile(fd, pipe, new Uint8Array(HEADER_SIZE))
    return file.look() ? file : undefined
  }

  /** Read the header again. Returns false if this is no longer the terminal's ring. */
  look(): boolean {
    readAt(this.fd, this.#header, 0)
    return isCurrentRing(this.#fields)
  }

  /** Bytes ever written, which is the offset of the next one. All getters show the state of the last look. */
  get offset(): number {
    return this.get(OFFSET)
  }

  /** Bytes before this offset were not kept. */
  get start(): number {
    return this.get(START)
  }

  /** Reads one of the daemon's fields. */
  get(at: number): number {
    return this.#fields.getUint32(at, true) + WORD * this.#fields.getUint32(at + 4, true)
  }

  /** Call `writeFields` afterwards. */
  set(at: number, value: number): void {
    this.#fields.setUint32(at, value % WORD, true)
    this.#fields.setUint32(at + 4, Math.floor(value / WORD), true)
  }

  writeFields(): void {
    writeAt(this.fd, this.#ofDaemon, CLIENTS)
  }

  /** The offset up to which a typing client may read; 0 if none may. */
  get sharedTo(): number {
    return this.get(SHARED_TO)
  }

  /** For how many more milliseconds a client reads; until then the daemon leaves reading to it. */
  get leasedFor(): number {
    if (!this.sharedTo) return 0
    const left = this.get(LEASE) - Date.now()
    return left > 0 && left <= MAX_LEASE_MS ? left : 0 // the clock may have been changed
  }

  lease(milliseconds: number): void {
    this.set(LEASE, milliseconds ? Date.now() + milliseconds : 0)
    writeAt(this.fd, this.#ofTypist, LEASE)
  }

  /** Take the lock if it is free, and read the header again. */
  tryLock(): boolean {
    if (!tryLockRecord(this.fd)) return false
    if (!this.look()) {
      this.unlock()
      return false
    }
    const underWay = this.get(UNDER_WAY)
    const inPipe = bytesIn(this.pipe)
    this.#left = inPipe > 0
    // The last holder was killed: bytes that have left the pipe are in the file.
    if (underWay) this.#write(this.offset + underWay - inPipe, 0)
    return true
  }

  /**
   * Take the lock. Its holder normally needs a few microseconds more. A stopped holder is continued, and finally
   * killed, which loses nothing. Throws if the lock cannot be had.
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
   * Take the output of `master`, at most `limit` bytes; needs the lock. The result is valid until the next call.
   * Returns undefined if there is nothing now, `gone` if there never will be. `early` is called as soon as nobody else
   * can get these bytes any more, before the header is updated.
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

  /** Copies the ring into an empty file elsewhere, which is the ring from now on. */
  copyTo(fd: number): RingFile {
    this.lock()
    const all = Buffer.alloc(FILE_SIZE)
    readAt(this.fd, all, 0)
    writeAt(fd, all, 0)
    writeAt(this.fd, Buffer.alloc(4), 0) // invalidates this one for other processes
    this.unlock()
    return new RingFile(fd, this.pipe, new Uint8Array(all.subarray(0, HEADER_SIZE)))
  }

  /** Moves at most `max` bytes from the terminal into the pipe. Negative if there never will be any. */
  #gather(master: number, max: number): number {
    let size = 0
    // A terminal yields a page at a time; for larger requests the kernel allocates a buffer each time. The next step
    // costs the same for one page as for many.
    while (size < max) {
      const n = splice(master, this.pipe, Math.min(max - size, PAGE))
      if (n <= 0) return size > 0 || n === EAGAIN || n === EINTR ? size : -1
      size += n
      if (n < SHORT) break // most likely there is no more
    }
    return size
  }

  /** Moves the pipe's bytes into the file. False if the disk took none of them: then they are only in `#chunk`. */
  #store(offset: number, size: number): boolean {
    for (let done = 0; done < size; ) {
      const at = (offset + done) % SPACE
      const n = splice(this.pipe, this.fd, Math.min(size - done, SPACE - at), HEADER_SIZE + at)
      if (n === EINTR || n === EAGAIN) continue
      if (n <= 0) {
        // The file accepts no more (a full copy-on-write disk): the program and its clients continue without it.
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
