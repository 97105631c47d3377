/**
 * Readiness of descriptors that Bun's event loop cannot wait for. The loop watches only descriptors that it reads
 * itself, and bytes that it has read are lost if the process dies. A thread in C waits in epoll(7) and wakes it through
 * a socket.
 */
import * as k from './abi/constants.ts'
import { EPOLL_EVENT_DATA, EPOLL_EVENT_SIZE, epollEvent } from './abi/structs.ts'
import { socketPair } from './descriptors.ts'
import { must, syscall } from './libc.ts'
import { startWatcher } from './native.ts'

export interface Watched {
  /** Call back once when the descriptor can be read (or written, with `writing`) or is broken. */
  arm(interest: { readonly reading: boolean; readonly writing: boolean }): void
  /** Call this before closing the descriptor. */
  stop(): void
}

export class Watcher {
  readonly #epoll: number
  readonly #ready = new Map<number, () => void>()
  #next = 0
  #held: Buffer = Buffer.alloc(0)

  private constructor(epoll: number) {
    this.#epoll = epoll
  }

  /** Start the thread, which lasts as long as the process. */
  static async start(): Promise<Watcher> {
    const epoll = must('epoll_create1', undefined, k.O_CLOEXEC)
    const watcher = new Watcher(epoll)
    const [ours, theirs] = socketPair(k.SOCK_STREAM)
    // The option that adopts a connected descriptor is not in the type declarations.
    const options = { fd: ours, socket: { data: (_: unknown, bytes: Buffer) => watcher.#told(bytes) } }
    const socket = await Bun.connect(options as unknown as Parameters<typeof Bun.connect>[0])
    socket.unref()
    startWatcher(epoll, theirs)
    return watcher
  }

  /** Watch a descriptor; it is not armed yet. */
  watch(fd: number, ready: () => void): Watched {
    // An id instead of the descriptor's number: a late event of a closed descriptor must not count for a new one.
    const id = ++this.#next
    this.#ready.set(id, ready)
    must('epoll_ctl', undefined, this.#epoll, k.EPOLL_CTL_ADD, fd, epollEvent(k.EPOLLONESHOT, id))
    return {
      arm: ({ reading, writing }) => {
        const events = k.EPOLLONESHOT | (reading ? k.EPOLLIN : 0) | (writing ? k.EPOLLOUT : 0)
        syscall('epoll_ctl', this.#epoll, k.EPOLL_CTL_MOD, fd, epollEvent(events, id))
      },
      stop: () => {
        this.#ready.delete(id)
        syscall('epoll_ctl', this.#epoll, k.EPOLL_CTL_DEL, fd, 0)
      },
    }
  }

  #told(bytes: Buffer): void {
    const told = this.#held.length ? Buffer.concat([this.#held, bytes]) : bytes
    const whole = told.length - (told.length % EPOLL_EVENT_SIZE)
    this.#held = Buffer.from(told.subarray(whole))
    for (let at = 0; at < whole; at += EPOLL_EVENT_SIZE)
      this.#ready.get(Number(told.readBigUInt64LE(at + EPOLL_EVENT_DATA)))?.()
  }
}
