/**
 * The scrollback of one PTY: a file of fixed size in the runtime folder that outlives the daemon. A header
 * with the absolute stream offset, then the newest RING_SIZE bytes at `offset % RING_SIZE`.
 *
 * Written with pwrite and not mapped: a mapped file that a full or truncated tmpfs takes away kills the
 * process with SIGBUS, a write that fails is an error one can go on from (docs/architecture.md).
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

export const RING_SIZE = 256 * 1024 // bytes of output that a client that attaches can look back on
const HEADER_SIZE = 64
const MAGIC = 0x636f6f70 // "coop"
const VERSION = 1

export class Ring {
  readonly #fd: number
  readonly #header = Buffer.alloc(HEADER_SIZE)
  #offset: number

  private constructor(fd: number, offset: number) {
    this.#fd = fd
    this.#offset = offset
  }

  /** A new, empty ring. */
  static create(path: string): Ring {
    const ring = new Ring(openSync(path, 'wx+', 0o600), 0)
    ring.#writeHeader()
    return ring
  }

  /** The ring that an earlier daemon left; a new one when it cannot be used. */
  static open(path: string): Ring {
    let fd: number
    try {
      fd = openSync(path, 'r+')
    } catch {
      return Ring.create(path)
    }
    const header = Buffer.alloc(HEADER_SIZE)
    readSync(fd, header, 0, HEADER_SIZE, 0)
    const usable = header.readUInt32LE(0) === MAGIC && header.readUInt32LE(4) === VERSION
    const offset = usable ? Number(header.readBigUInt64LE(8)) : 0
    return new Ring(fd, Number.isSafeInteger(offset) ? offset : 0)
  }

  /** Bytes ever written: the offset of the next one. */
  get offset(): number {
    return this.#offset
  }

  /** The first offset that is still there. */
  get start(): number {
    return Math.max(0, this.#offset - RING_SIZE)
  }

  append(bytes: Uint8Array): void {
    const kept = bytes.length > RING_SIZE ? bytes.subarray(bytes.length - RING_SIZE) : bytes
    const from = this.#offset + bytes.length - kept.length
    const at = from % RING_SIZE
    const first = Math.min(kept.length, RING_SIZE - at)
    writeSync(this.#fd, kept, 0, first, HEADER_SIZE + at)
    if (first < kept.length) writeSync(this.#fd, kept, first, kept.length - first, HEADER_SIZE)
    this.#offset += bytes.length
    this.#writeHeader()
  }

  /** Everything from `from` on, or from the oldest byte that is still there. */
  read(from = 0): { readonly from: number; readonly bytes: Buffer } {
    const start = Math.min(Math.max(from, this.start), this.#offset)
    const bytes = Buffer.alloc(this.#offset - start)
    const at = start % RING_SIZE
    const first = Math.min(bytes.length, RING_SIZE - at)
    if (first) readSync(this.#fd, bytes, 0, first, HEADER_SIZE + at)
    if (first < bytes.length) readSync(this.#fd, bytes, first, bytes.length - first, HEADER_SIZE)
    return { from: start, bytes }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #writeHeader(): void {
    this.#header.writeUInt32LE(MAGIC, 0)
    this.#header.writeUInt32LE(VERSION, 4)
    this.#header.writeBigUInt64LE(BigInt(this.#offset), 8)
    writeSync(this.#fd, this.#header, 0, HEADER_SIZE, 0)
  }
}
