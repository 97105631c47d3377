/**
 * From this process's own input into a pipe that a box reads. Bytes that the command does not take stay with the caller
 * where that can be: all of a file's, and of a pipe's as long as the command has taken little, so that
 * `while read line; do coop run …; done` reads every line.
 */
import { POLLIN, POLLOUT } from '../../../ffi/abi/constants.ts'
import { position, readAt, type StreamKind, seek } from '../../../ffi/files.ts'
import { syscall } from '../../../ffi/libc.ts'
import { bytesIn, growPipe, splice, tee } from '../../../ffi/pipes.ts'
import { closeDescriptor, isReadable, setNonblocking, writeNonblocking } from '../../../ffi/pty.ts'

const CHUNK = 1 << 16 // bytes; what a pipe holds
const SMALL = 4096 // bytes of a pipe with room for one piece: it can be written to again when all was read
const CAREFUL = 1 << 16 // bytes; a command that has taken so much of a pipe reads it, and speed counts
const EINTR = -4
const EAGAIN = -11

/**
 * `show`: of a pipe the command is shown its first bytes (tee(2)), which leave it when they were taken. `move`: bytes
 * go on in the kernel, and what the command leaves in its own pipe is lost.
 */
type Way = 'show' | 'move' | 'file' | 'copy'

export class InputRelay {
  #pipe: number | undefined
  /** The command's end, kept to see what is left in it. */
  readonly #readEnd: number
  #isOver = false
  #way: Way
  #shown = 0
  #careful = 0
  #start = 0
  #given = 0
  #waits: 'input' | 'room' = 'input'
  #buffer: Uint8Array | undefined
  #pending: Uint8Array | undefined

  /** Both ends of the command's pipe are ours from now on; the box has a copy of the one it reads. */
  constructor(kind: StreamKind, readEnd: number, pipe: number) {
    this.#pipe = pipe
    this.#readEnd = readEnd
    setNonblocking(pipe) // this end only: the box's is another open file description
    this.#way = kind === 'pipe' ? 'show' : kind === 'file' ? 'file' : 'copy'
    if (this.#way === 'show') growPipe(pipe, SMALL)
    if (this.#way === 'file') this.#start = position(0)
  }

  get isOpen(): boolean {
    return this.#pipe !== undefined
  }

  get input(): number {
    return this.isOpen && this.#waits === 'input' ? 0 : -1
  }
  get inputEvents(): number {
    return POLLIN
  }
  get pipe(): number {
    return this.#waits === 'room' ? (this.#pipe ?? -1) : -1
  }
  get pipeEvents(): number {
    return POLLOUT
  }

  /** The events that came. Returns whether bytes moved. */
  serve(input: number, pipe: number): boolean {
    if (this.#pipe === undefined || !(input || pipe)) return false
    const n = this.#move(this.#pipe)
    if (n === EINTR) return true
    if (n === EAGAIN) return false
    if (n <= 0) this.#close() // the end of input; input that cannot be read, such as a folder, is that, too
    return n > 0
  }

  /** The command is over. What it has not taken is the caller's. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    const left = Math.min(bytesIn(this.#readEnd), this.#way === 'show' ? this.#shown : this.#given)
    if (this.#way === 'file') seek(0, this.#start + this.#given - left)
    else if (this.#way === 'show') this.#drop(this.#shown - left)
    this.#close()
    closeDescriptor(this.#readEnd)
  }

  #move(pipe: number): number {
    if (this.#way === 'show') return this.#show(pipe)
    if (this.#way === 'move') {
      const n = splice(0, pipe, CHUNK)
      if (n === EAGAIN) this.#waits = isReadable(0) ? 'room' : 'input'
      return n
    }
    return this.#copy(pipe)
  }

  #show(pipe: number): number {
    if (this.#shown) {
      // A box that makes its pipe larger is told when there is room, and not when all was taken.
      const isTaken = bytesIn(this.#readEnd) === 0
      this.#drop(this.#shown)
      this.#careful += this.#shown
      this.#shown = 0
      if (!isTaken || this.#careful >= CAREFUL) {
        growPipe(pipe, CHUNK)
        this.#way = 'move'
        this.#waits = 'input'
        return this.#move(pipe)
      }
    }
    const n = tee(0, pipe, SMALL)
    if (n > 0) this.#shown = n
    this.#waits = n > 0 ? 'room' : 'input'
    return n
  }

  /** Bytes that were taken leave the caller's pipe. It may have other readers, for which we do not wait. */
  #drop(size: number): void {
    this.#buffer ??= new Uint8Array(CHUNK)
    const bytes = this.#buffer
    for (let left = size; left > 0 && isReadable(0); ) {
      const n = syscall('read', 0, bytes, Math.min(left, bytes.length))
      if (n <= 0 && n !== EINTR) return
      left -= Math.max(0, n)
    }
  }

  /** Copies, so that a box gets bytes and no page of a file. */
  #copy(pipe: number): number {
    this.#buffer ??= new Uint8Array(CHUNK)
    const buffer = this.#buffer
    if (!this.#pending) {
      const n = this.#read(buffer)
      this.#waits = 'input'
      if (n <= 0) return n
      this.#pending = buffer.subarray(0, n)
    }
    const n = writeNonblocking(pipe, this.#pending)
    if (n < 0) return n // nobody reads any more
    this.#given += n
    this.#pending = n < this.#pending.length ? this.#pending.subarray(n) : undefined
    this.#waits = this.#pending ? 'room' : 'input'
    return n || EAGAIN
  }

  #read(buffer: Uint8Array): number {
    if (this.#way !== 'file') return syscall('read', 0, buffer, buffer.length)
    try {
      return readAt(0, buffer, this.#start + this.#given)
    } catch {
      return 0
    }
  }

  #close(): void {
    if (this.#pipe !== undefined) closeDescriptor(this.#pipe)
    this.#pipe = undefined
  }
}
