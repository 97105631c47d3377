/** Waiting for several descriptors at once, without the event loop (ppoll(2)). */
import { POLLIN } from './abi/constants.ts'
import { syscall } from './libc.ts'

const SIZE = 8 // bytes of struct pollfd

export class PollSet {
  readonly #fds: DataView
  readonly #bytes: Uint8Array
  readonly #timeout = new DataView(new ArrayBuffer(16)) // struct timespec
  readonly #timeoutBytes = new Uint8Array(this.#timeout.buffer)

  constructor(fds: readonly number[]) {
    this.#bytes = new Uint8Array(SIZE * fds.length)
    this.#fds = new DataView(this.#bytes.buffer)
    fds.forEach((fd, i) => {
      this.set(i, fd, POLLIN)
    })
  }

  /** Wait for these events of a descriptor; 0 waits only for its end. A negative descriptor is ignored. */
  set(index: number, fd: number, events: number): void {
    this.#fds.setInt32(SIZE * index, fd, true)
    this.#fds.setInt16(SIZE * index + 4, events, true)
  }

  /** Wait until one is readable or ended. False if a signal came first. */
  wait(): boolean {
    return syscall('ppoll', this.#bytes, this.#bytes.length / SIZE, 0, 0, 8) > 0
  }

  /** Like `wait`, for at most so many milliseconds (less than a second). False after that time, or if a signal came. */
  waitFor(milliseconds: number): boolean {
    this.#timeout.setUint32(8, milliseconds * 1e6, true)
    return syscall('ppoll', this.#bytes, this.#bytes.length / SIZE, this.#timeoutBytes, 0, 8) > 0
  }

  /** The events that `wait` found on the descriptor at that index. */
  events(index: number): number {
    return this.#fds.getInt16(SIZE * index + 6, true)
  }

  /** The finding of `wait` for the descriptor at that index: bytes to read, its end, or neither. */
  found(index: number): 'bytes' | 'end' | undefined {
    const events = this.events(index)
    if (events & POLLIN) return 'bytes'
    return events ? 'end' : undefined
  }
}
