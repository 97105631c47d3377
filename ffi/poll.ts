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

  /** Wait for these events of a descriptor, with 0 only for its end; a negative descriptor is not waited for. */
  set(index: number, fd: number, events: number): void {
    this.#fds.setInt32(SIZE * index, fd, true)
    this.#fds.setInt16(SIZE * index + 4, events, true)
  }

  /** Until one of them can be read, or has an end. False when a signal came first. */
  wait(): boolean {
    return syscall('ppoll', this.#bytes, this.#bytes.length / SIZE, 0, 0, 8) > 0
  }

  /** The same for so many milliseconds (less than a second). False when nothing was there by then, or a signal came. */
  waitFor(milliseconds: number): boolean {
    this.#timeout.setUint32(8, milliseconds * 1e6, true)
    return syscall('ppoll', this.#bytes, this.#bytes.length / SIZE, this.#timeoutBytes, 0, 8) > 0
  }

  /** The events that `wait` found of the descriptor with that index. */
  events(index: number): number {
    return this.#fds.getInt16(SIZE * index + 6, true)
  }

  /** What `wait` found of the descriptor with that index: bytes to read, its end, or neither. */
  found(index: number): 'bytes' | 'end' | undefined {
    const events = this.events(index)
    if (events & POLLIN) return 'bytes'
    return events ? 'end' : undefined
  }
}
