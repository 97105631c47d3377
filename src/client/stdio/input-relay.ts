/**
 * Moves this process's input into a pipe that a box reads. Bytes that the command does not read stay with the caller
 * where possible: always for a file, and for a pipe or socket as long as the command has read little. So `while read line; do
 * coop run …; done` reads every line.
 */
import { POLLIN, POLLOUT } from '../../../ffi/abi/constants.ts'
import { position, readAt, type StreamKind, seek } from '../../../ffi/files.ts'
import { syscall } from '../../../ffi/libc.ts'
import { bytesIn, growPipe, splice, tee } from '../../../ffi/pipes.ts'
import { closeDescriptor, isReadable, setNonblocking, writeNonblocking } from '../../../ffi/pty.ts'
import { isStreamSocket, peekSocket } from '../../../ffi/sockets.ts'
import { isForeground } from '../../../ffi/terminal.ts'

const CHUNK = 1 << 16 // bytes; what a pipe holds
const SMALL = 4096 // bytes of a pipe with room for one page: it is writable again once all was read
const CAREFUL = 1 << 16 // bytes; a command that has read so much will read the rest, so speed matters more
const EINTR = -4
const EAGAIN = -11

/**
 * `show`: the command gets copies of the first bytes of a pipe (tee(2)) or a socket (MSG_PEEK); the originals are removed
 * once it has read them.
 * `move`: bytes move within the kernel; bytes that the command leaves unread are lost.
 */
type Way = 'show' | 'move' | 'file' | 'copy'

export class InputRelay {
  #pipe: number | undefined
  /** The command's end, kept to count unread bytes. */
  readonly #readEnd: number
  #isOver = false
  #way: Way
  readonly #isSocket: boolean
  #shown = 0
  #careful = 0
  #start = 0
  #given = 0
  #waits: 'input' | 'room' = 'input'
  #buffer: Uint8Array | undefined
  #pending: Uint8Array | undefined

  /** Takes ownership of both ends of the command's pipe; the box has a copy of the end that it reads. */
  constructor(kind: StreamKind, readEnd: number, pipe: number) {
    this.#pipe = pipe
    this.#readEnd = readEnd
    setNonblocking(pipe) // affects this end only: the box's is another open file description
    this.#isSocket = kind === 'socket' && isStreamSocket(0)
    this.#way = kind === 'pipe' || this.#isSocket ? 'show' : kind === 'file' ? 'file' : 'copy'
    if (this.#way === 'show') growPipe(pipe, SMALL)
    if (this.#way === 'file') this.#start = position(0)
  }

  get isOpen(): boolean {
    return this.#pipe !== undefined
  }

  /** A terminal is left alone while this process is in its background, as after `bg`: reading would stop it. */
  get input(): number {
    return this.isOpen && this.#waits === 'input' && (this.#way !== 'copy' || isForeground(0)) ? 0 : -1
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

  /** Handles poll events. Returns whether bytes moved. */
  serve(input: number, pipe: number): boolean {
    if (this.#pipe === undefined || !(input || pipe)) return false
    const n = this.#move(this.#pipe)
    if (n === EINTR) return true
    if (n === EAGAIN) return false
    if (n <= 0) this.#close() // the end of input, or input that cannot be read, such as a folder
    return n > 0
  }

  /** Ends the relay when the command is over. Bytes that it has not read stay with the caller. */
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
      // A box may enlarge its pipe; then "writable" does not mean that all was read, so the bytes are counted.
      const isTaken = bytesIn(this.#readEnd) === 0
      this.#drop(this.#shown)
      this.#careful += this.#shown
      this.#shown = 0
      if (!isTaken || this.#careful >= CAREFUL) {
        growPipe(pipe, CHUNK)
        this.#way = this.#isSocket ? 'copy' : 'move'
        this.#waits = 'input'
        return this.#isSocket ? EAGAIN : this.#move(pipe) // reading a socket could block now
      }
    }
    const n = this.#isSocket ? this.#peek(pipe) : tee(0, pipe, SMALL)
    if (n > 0) this.#shown = n
    this.#waits = n > 0 ? 'room' : 'input'
    return n
  }

  /** Copies a socket's next bytes into the command's pipe, which is empty and has room for them. */
  #peek(pipe: number): number {
    this.#buffer ??= new Uint8Array(CHUNK)
    const n = peekSocket(0, this.#buffer.subarray(0, SMALL))
    return n > 0 ? writeNonblocking(pipe, this.#buffer.subarray(0, n)) || EAGAIN : n
  }

  /** Removes bytes that were read from the caller's pipe. It may have other readers, so this never blocks. */
  #drop(size: number): void {
    this.#buffer ??= new Uint8Array(CHUNK)
    const bytes = this.#buffer
    for (let left = size; left > 0 && isReadable(0); ) {
      const n = syscall('read', 0, bytes, Math.min(left, bytes.length))
      if (n <= 0 && n !== EINTR) return
      left -= Math.max(0, n)
    }
  }

  /** Copies bytes, so that a box gets no page of a file's cache. */
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
    if (n < 0) return n // the pipe has no reader left
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
