/**
 * From a pipe that a box writes into one of this process's own outputs: as it comes into files, pipes and sockets, and
 * without what acts on the machine into a terminal. Nothing here waits but the last resort for a terminal.
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
 * How bytes get out. `splice` moves them inside of the kernel; a file that is appended to does not take that, and gets
 * copies. A socket is sent to, since the flag that keeps a write from waiting is not ours to set (open(2)).
 */
type Way = 'splice' | 'write' | 'send' | 'terminal'

export class OutputRelay {
  /** Undefined once all is out, or nobody wants it. */
  #pipe: number | undefined
  readonly #to: number
  #fd: number
  readonly #kind: StreamKind
  #way: Way
  #screen: TerminalOutput | undefined
  #buffer: Uint8Array | undefined
  /** What was read and has not been taken yet. */
  #pending: Uint8Array | undefined
  #full = false
  /** Bytes of the pipe that are still to come out. */
  #left = Number.POSITIVE_INFINITY
  /** The errno's name when output was lost. */
  lost: string | undefined

  /** `pipe` is ours from now on. */
  constructor(pipe: number, to: number, kind: StreamKind) {
    this.#pipe = pipe
    this.#to = this.#fd = to
    this.#kind = kind
    this.#way = kind === 'socket' ? 'send' : 'splice'
    if (this.#way === 'send') setNonblocking(pipe) // our end only: the box's is another open file description
  }

  /** Before the first byte: what a terminal needs is loaded for one only. */
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

  /** What is waited for: descriptor and events of the pipe and of the output. */
  get pipe(): number {
    return this.#full ? -1 : (this.#pipe ?? -1)
  }
  get pipeEvents(): number {
    return POLLIN
  }
  get output(): number {
    return this.isOpen ? this.#fd : -1
  }
  /** Without any the end of it is told all the same: a reader that goes away ends who writes. */
  get outputEvents(): number {
    return this.#full ? POLLOUT : 0
  }

  /** The events that came. Returns whether bytes moved. */
  serve(pipe: number, output: number): boolean {
    if (this.#pipe === undefined) return false
    if (output & ~(POLLIN | POLLOUT)) {
      this.#close() // what it writes next ends the command, as if the reader had been its own
      return false
    }
    return pipe !== 0 || (output & POLLOUT) !== 0 ? this.#move(this.#pipe) : false
  }

  /** The command is over: what is in the pipe comes out, and what others of the box may still write does not. */
  finish(): void {
    if (this.#pipe === undefined) return
    this.#left = bytesIn(this.#pipe)
    this.#settle()
  }

  /** Nothing more comes; a terminal is left as it was. */
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
      this.#close() // nobody writes any more
    else if (n < 0) {
      if (n !== EPIPE && n !== ECONNRESET) this.lost = new SysError('write', n).code
      this.#close()
    }
    this.#settle()
    return n > 0
  }

  /** Bytes taken from the pipe; 0 at its end; a negated errno. */
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

  /** Bytes written; a negated errno. */
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
