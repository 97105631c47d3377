/**
 * The daemon's end of a zygote or of a box's init: sends batches, receives replies and news of exits.
 *
 * Two sockets are needed because Bun's sockets drop descriptors that arrive with data. The connection carries bytes
 * through the event loop. The channel carries descriptors and is read only after the bytes announced some, so the
 * daemon never blocks here.
 */
import type { Socket } from 'bun'
import { SOCK_SEQPACKET, SOCK_STREAM } from './abi/constants.ts'
import { type Batch, BatchError } from './batch.ts'
import { connectUnix, isCrowded, receiveDescriptors, sendDescriptors, socketPair } from './descriptors.ts'
import { INIT_PROTOCOL, NewerInit, protocolIn, tellsStops } from './init-protocol.ts'
import { syscall } from './libc.ts'

const HELLO = 1
const REPLY = 2
const EXIT = 3
const FAIL = 4
const STOP = 5
const MAX_MESSAGE = 8 << 20 // bytes; results and output of one batch stay far below it
// Batches under way whose descriptors the other side may not have taken yet. The kernel queues some 270 messages per
// socket (SO_SNDBUF), and limits a user's descriptors in flight to the open files that one process may have (unix(7)).
const MAX_PASSED = 32
const CROWDED_MS = 5 // before descriptors that the kernel refused are sent again

export interface BatchReply {
  /** One per operation that ran: its result, or the negated errno of an allowed failure. */
  readonly results: readonly number[]
  /** The descriptors of operations marked `send`, in order. The receiver owns them. */
  readonly fds: readonly number[]
  /** The data named with `Batch.output`. */
  readonly output: Buffer
}

export interface ChannelEvents {
  /**
   * A process that a batch forked has ended; `status` as in wait(2). Each new connection hears it again until it is
   * forgotten. With `failure` the child failed in the rest of its batch and never became the intended program.
   */
  exit?(pid: number, status: number, failure: BatchError | undefined): void
  /** A process that a batch forked has stopped, by that signal. Not told again to a new connection. */
  stop?(pid: number, signal: number): void
  /** The other side has hung up. */
  close?(): void
}

interface Pending {
  readonly batch: Batch
  /** Its descriptors are on their way. */
  passed: boolean
  readonly resolve: (reply: BatchReply) => void
  readonly reject: (error: Error) => void
}

interface Unsent {
  readonly sequence: number
  bytes: Buffer
  fds: readonly number[]
}

const GONE = 'the process on the other side is gone'

export class Channel {
  #socket: Socket | undefined
  readonly #channel: number
  readonly #events: ChannelEvents
  #base = 0n
  #protocol = 0
  #tellsStops = false
  #sequence = 0
  #pending = new Map<number, Pending>()
  /** Forked children that may still report a failure: batch by sequence number, and their reports. */
  #children = new Map<number, { batch: Batch; pid?: number; failure?: BatchError }>()
  #received: Buffer = Buffer.alloc(0)
  #unsent: Unsent[] = []
  #passed = 0
  #crowded: Timer | undefined
  #closed = false
  #ready = Promise.withResolvers<void>()

  private constructor(channel: number, events: ChannelEvents) {
    this.#channel = channel
    this.#events = events
    this.#ready.promise.catch(() => {})
  }

  /** Build a channel on two connected sockets, which it owns from now on. Resolves after the other side's greeting. */
  static async adopt(connection: number, channel: number, events: ChannelEvents): Promise<Channel> {
    const self = new Channel(channel, events)
    // The option that adopts a connected descriptor is not in the type declarations.
    const options = {
      fd: connection,
      socket: {
        open: (socket: Socket) => {
          self.#socket = socket
        },
        data: (_: Socket, bytes: Buffer) => self.#data(bytes),
        drain: () => self.#flush(),
        close: () => self.#close(),
        error: () => self.#close(),
      },
    }
    await Bun.connect(options as unknown as Parameters<typeof Bun.connect>[0])
    await self.#ready.promise
    return self
  }

  /** Connect to a running box's init by its socket. Throws SysError if nobody listens, NewerInit if it is newer. */
  static async connect(path: string, events: ChannelEvents): Promise<Channel> {
    const connection = connectUnix(path, SOCK_STREAM)
    const [ours, theirs] = socketPair(SOCK_SEQPACKET)
    sendDescriptors(connection, new Uint8Array(1), [theirs])
    syscall('close', theirs)
    return Channel.adopt(connection, ours, events)
  }

  /** The protocol that the other side understands (init-protocol.ts). */
  get protocol(): number {
    return this.#protocol
  }

  /** Whether `ChannelEvents.stop` is called. */
  get tellsStops(): boolean {
    return this.#tellsStops
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Run a batch. Rejects with BatchError if an operation failed, with Error if the other side is gone. The batch's
   * descriptors must stay open until then.
   */
  run(batch: Batch): Promise<BatchReply> {
    if (this.#closed) return Promise.reject(new Error(GONE))
    const sequence = ++this.#sequence
    const bytes = batch.encode(this.#base, sequence)
    const { promise, resolve, reject } = Promise.withResolvers<BatchReply>()
    this.#pending.set(sequence, { batch, resolve, reject, passed: false })
    if (batch.forks) this.#children.set(sequence, { batch })
    this.#unsent.push({ sequence, bytes, fds: batch.fds })
    this.#flush()
    return promise
  }

  /** Hang up. A zygote then exits; a box's init waits for the next daemon. */
  close(): void {
    this.#socket?.end()
    this.#close()
  }

  #flush(): void {
    while (this.#unsent[0] && !this.#closed) {
      const first = this.#unsent[0]
      if (first.fds.length && !this.#pass(first)) return
      const n = this.#socket?.write(first.bytes) ?? 0
      if (n < 0) return this.#close()
      if (n < first.bytes.length) {
        first.bytes = first.bytes.subarray(n)
        return
      }
      this.#unsent.shift()
    }
  }

  /** Send a batch's descriptors ahead of it. False if they have to wait; then all batches behind them wait, too. */
  #pass(first: Unsent): boolean {
    if (this.#passed >= MAX_PASSED) return false // the next reply continues
    const pending = this.#pending.get(first.sequence)
    try {
      sendDescriptors(this.#channel, new Uint8Array(1), first.fds)
    } catch (error) {
      if (isCrowded(error)) {
        this.#crowded ??= setTimeout(() => {
          this.#crowded = undefined
          this.#flush()
        }, CROWDED_MS)
        return false
      }
      this.#unsent.shift()
      this.#pending.delete(first.sequence)
      this.#children.delete(first.sequence)
      pending?.reject(error as Error)
      this.#flush()
      return false
    }
    first.fds = []
    this.#passed++
    if (pending) pending.passed = true
    return true
  }

  #data(bytes: Uint8Array): void {
    this.#received = this.#received.length ? Buffer.concat([this.#received, bytes]) : Buffer.from(bytes)
    while (this.#received.length >= 8) {
      const size = this.#received.readUInt32LE(4)
      if (size > MAX_MESSAGE) return this.close()
      if (this.#received.length < 8 + size) return
      const type = this.#received.readUInt32LE(0)
      const payload = this.#received.subarray(8, 8 + size)
      this.#received = this.#received.subarray(8 + size)
      this.#message(type, payload)
    }
  }

  #message(type: number, payload: Buffer): void {
    if (type === HELLO) {
      this.#protocol = protocolIn(payload)
      if (this.#protocol > INIT_PROTOCOL) {
        this.#ready.reject(new NewerInit(this.#protocol))
        return this.close()
      }
      this.#tellsStops = tellsStops(payload)
      this.#base = payload.readBigUInt64LE(0)
      this.#ready.resolve()
    } else if (type === EXIT) {
      this.#exit(payload.readInt32LE(0), payload.readInt32LE(4))
    } else if (type === STOP)
      this.#events.stop?.(payload.readInt32LE(0), (payload.readInt32LE(4) >> 8) & 0xff)
    else if (type === REPLY) this.#reply(payload)
    else if (type === FAIL) {
      const child = this.#children.get(payload.readUInt32LE(0))
      if (!child) return
      const op = child.batch.ops[payload.readInt32LE(4)]
      child.failure = new BatchError(op ?? { name: 'fork', what: undefined }, payload.readInt32LE(8))
    }
  }

  #exit(pid: number, status: number): void {
    let failure: BatchError | undefined
    for (const [sequence, child] of this.#children) {
      if (child.pid !== pid) continue
      failure = child.failure
      this.#children.delete(sequence)
    }
    this.#events.exit?.(pid, status, failure)
  }

  #reply(payload: Buffer): void {
    const sequence = payload.readUInt32LE(0)
    const count = payload.readInt32LE(4)
    const pending = this.#pending.get(sequence)
    if (!pending) return this.close()
    this.#pending.delete(sequence)
    if (pending.passed) this.#passed--
    if (this.#unsent.length) this.#flush()
    const results: number[] = []
    for (let i = 0; i < count; i++) results.push(Number(payload.readBigInt64LE(8 + 8 * i)))
    const { batch } = pending
    let fds: number[] = []
    try {
      if (batch.sent(results)) fds = receiveDescriptors(this.#channel, 1)?.fds ?? []
    } catch (error) {
      return pending.reject(error as Error) // this process is out of descriptors: only this batch fails
    }
    const failure = batch.failure(results)
    if (failure) {
      for (const fd of fds) syscall('close', fd)
      this.#children.delete(sequence)
      return pending.reject(failure)
    }
    const child = this.#children.get(sequence)
    if (child) child.pid = results[count - 1] ?? -1
    const output = Buffer.from(payload.subarray(8 + 8 * count))
    pending.resolve({ results, fds, output })
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#crowded)
    syscall('close', this.#channel)
    this.#ready.reject(new Error(GONE))
    for (const pending of this.#pending.values()) pending.reject(new Error(GONE))
    this.#pending.clear()
    this.#events.close?.()
  }
}
