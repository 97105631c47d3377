/**
 * Moves bytes from a pipe that a box writes into one of this process's outputs: unchanged into files, pipes and
 * sockets, and filtered into a terminal, without sequences that act on the machine. Only the last resort for a terminal
 * blocks.
 */
import { POLLIN, POLLOUT } from '../../../ffi/abi/constants.ts'
import type { StreamKind } from '../../../ffi/files.ts'
import { SysError, syscall } from '../../../ffi/libc.ts'
import { bytesIn, splice } from '../../../ffi/pipes.ts'
import { closeDescriptor, setNonblocking } from '../../../ffi/pty.ts'
import { getModes, openNonblocking } from '../../../ffi/terminal.ts'
import type { TerminalOutput } from '../terminal/terminal-output.ts'

const CHUNK = 1 << 16 // bytes; what a pipe holds
const EINTR = -4
const EAGAIN = -11
const EINVAL = -22
const EPIPE = -32
const ECONNRESET = -104
const DONT_WAIT = 0x40 | 0x4000 // MSG_DONTWAIT, MSG_NOSIGNAL

/**
 * How bytes get out. `splice` moves them within the kernel; a file opened for appending refuses that, and gets copies.
 * A socket gets `send`, as O_NONBLOCK is shared with its other users (open(2)) and must not be set.
 */
type Way = 'splice' | 'write' | 'send' | 'terminal'

export class OutputRelay {
  /** Undefined once all is written or the reader is gone. */
  #pipe: number | undefined
  readonly #to: number
  #fd: number
  readonly #kind: StreamKind
  #way: Way
  #screen: TerminalOutput | undefined
  #buffer: Uint8Array | undefined
  /** Bytes that were read and not written yet. */
  #pending: Uint8Array | undefined
  #full = false
  /** Bytes of the pipe that are still to be written. */
  #left = Number.POSITIVE_INFINITY
  /** The errno's name when output was lost. */
  lost: string | undefined

  /** Takes ownership of `pipe`. */
  constructor(pipe: number, to: number, kind: StreamKind) {
    this.#pipe = pipe
    this.#to = this.#fd = to
    this.#kind = kind
    this.#way = kind === 'socket' ? 'send' : 'splice'
    if (this.#way === 'send') setNonblocking(pipe) // affects this end only: the box's is another open file description
  }

  /** Prepares before the first byte: loads the filter, only for a terminal. */
  async prepare(): Promise<void> {
    if (this.#kind !== 'other' || !getModes(this.#to)) return
    const { TerminalOutput } = await import('../terminal/terminal-output.ts')
    this.#screen = new TerminalOutput()
    this.#way = 'terminal'
    if (this.#pipe !== undefined) setNonblocking(this.#pipe)
    const quick = openNonblocking(this.#to)
    if (quick >= 0) this.#fd = quick
  }

  get isOpen(): boolean {
    return this.#pipe !== undefined
  }

  /** The descriptors and events to poll, of the pipe and of the output. */
  get pipe(): number {
    return this.#full ? -1 : (this.#pipe ?? -1)
  }
  get pipeEvents(): number {
    return POLLIN
  }
  get output(): number {
    return this.isOpen ? this.#fd : -1
  }
  /** Even 0 events report POLLERR: when the reader goes away, the writer must end. */
  get outputEvents(): number {
    return this.#full ? POLLOUT : 0
  }

  /** Handles poll events. Returns whether bytes moved. */
  serve(pipe: number, output: number): boolean {
    if (this.#pipe === undefined) return false
    if (output & ~(POLLIN | POLLOUT)) {
      this.#close() // the command's next write gets SIGPIPE, as if it had had this reader itself
      return false
    }
    return pipe !== 0 || (output & POLLOUT) !== 0 ? this.#move(this.#pipe) : false
  }

  /**
   * Finishes when the command is over: writes what is in the pipe now, and nothing that other processes write later.
   */
  finish(): void {
    if (this.#pipe === undefined) return
    this.#left = bytesIn(this.#pipe)
    this.#settle()
  }

  /** Ends the relay, and restores a terminal's state. */
  end(): void {
    this.#close()
    const last = this.#screen?.end()
    this.#screen = undefined
    if (last?.length) syscall('write', this.#to, last, last.length)
    if (this.#fd !== this.#to) closeDescriptor(this.#fd)
    this.#fd = this.#to
  }

  #move(pipe: number): boolean {
    const n = this.#pending ? this.#flush(this.#pending) : this.#take(pipe)
    if (n === EINTR) return true
    if (n === EAGAIN) {
      this.#full = this.#pending !== undefined || bytesIn(pipe) > 0
      return false
    }
    this.#full = this.#pending !== undefined
    if (n === 0)
      this.#close() // the pipe has no writer left
    else if (n < 0) {
      if (n !== EPIPE && n !== ECONNRESET) this.lost = new SysError('write', n).code
      this.#close()
    }
    this.#settle()
    return n > 0
  }

  /** Returns the number of bytes taken from the pipe, 0 at its end, or a negated errno. */
  #take(pipe: number): number {
    const size = Math.min(CHUNK, this.#left)
    if (this.#way === 'splice') {
      const n = splice(pipe, this.#fd, size)
      if (n > 0) this.#left -= n
      if (n !== EINVAL) return n
      this.#way = 'write'
      setNonblocking(pipe)
    }
    this.#buffer ??= new Uint8Array(CHUNK)
    const n = syscall('read', pipe, this.#buffer, size)
    if (n <= 0) return n
    this.#left -= n
    const bytes = this.#buffer.subarray(0, n)
    const shown = this.#screen ? this.#screen.push(bytes) : bytes
    const written = shown.length ? this.#flush(shown) : n
    return written === EAGAIN || written === EINTR ? n : written
  }

  /** Returns the number of bytes written, or a negated errno. */
  #flush(bytes: Uint8Array): number {
    const n =
      this.#way === 'send'
        ? syscall('sendto', this.#fd, bytes, bytes.length, DONT_WAIT, 0, 0)
        : syscall('write', this.#fd, bytes, bytes.length)
    const done = Math.max(0, n)
    this.#pending = done < bytes.length ? bytes.subarray(done) : undefined
    this.#full = this.#pending !== undefined
    return n
  }

  #settle(): void {
    if (this.#left === 0 && !this.#pending) this.#close()
  }

  #close(): void {
    if (this.#pipe !== undefined) closeDescriptor(this.#pipe)
    this.#pipe = this.#pending = undefined
    this.#full = false
  }
}
