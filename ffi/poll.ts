/** Waiting for several descriptors at once, without the event loop (ppoll(2)). */
import { POLLIN } from './abi/constants.ts'
import { syscall } from './libc.ts'

const SIZE = 8 // bytes of struct pollfd

export class PollSet {
  readonly #fds: DataView
  readonly #bytes: Uint8Array

  constructor(fds: readonly number[]) {
    this.#bytes = new Uint8Array(SIZE * fds.length)
    this.#fds = new DataView(this.#bytes.buffer)
    fds.forEach((fd, i) => {
      this.#fds.setInt32(SIZE * i, fd, true)
      this.#fds.setInt16(SIZE * i + 4, POLLIN, true)
    })
  }

  /** Until one of them can be read, or has an end. False when a signal came first. */
  wait(): boolean {
    return syscall('ppoll', this.#bytes, this.#bytes.length / SIZE, 0, 0, 8) > 0
  }

  /** What `wait` found of the descriptor with that index: bytes to read, its end, or neither. */
  found(index: number): 'bytes' | 'end' | undefined {
    const events = this.#fds.getInt16(SIZE * index + 6, true)
    if (events & POLLIN) return 'bytes'
    return events ? 'end' : undefined
  }
}
