/** A byte stream to a server in a box, with back-pressure in both directions. */
import type { Socket } from 'bun'

export interface WireUser {
  /** Bytes that arrived; they stay valid. */
  data(bytes: Uint8Array): void
  /** Called once, when the stream has ended in either direction. */
  ended(): void
}

const FINISH_MS = 1_000 // for a server that does not read

const NOBODY: WireUser = { data() {}, ended() {} }

export class Wire {
  #socket: Socket | undefined
  #user: WireUser = NOBODY
  #unsent: Uint8Array[] = []
  #queued = 0
  #drained: PromiseWithResolvers<void> | undefined
  #isPaused = false
  #hasEnded = false

  private constructor() {}

  /** Connects to a loopback address of this machine. */
  static async to(hostname: string, port: number): Promise<Wire> {
    const wire = new Wire()
    await Bun.connect({ hostname, port, socket: wire.#handlers() })
    return wire
  }

  /** Takes over a connected socket. */
  static async adopt(fd: number): Promise<Wire> {
    const wire = new Wire()
    // The option that adopts a connected descriptor is not in the type declarations.
    const options = { fd, socket: wire.#handlers() }
    await Bun.connect(options as unknown as Parameters<typeof Bun.connect>[0])
    return wire
  }

  #handlers() {
    return {
      open: (socket: Socket) => {
        this.#socket = socket
        socket.setNoDelay(true)
      },
      data: (_: Socket, bytes: Uint8Array) => this.#user.data(bytes),
      drain: () => this.#flush(),
      end: () => this.close(),
      close: () => this.#end(),
      error: () => this.close(),
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Bytes that wait to be sent. */
  get queued(): number {
    return this.#queued
  }

  /** Sets who gets the bytes from now on. */
  use(user: WireUser | undefined): void {
    this.#user = user ?? NOBODY
  }

  /** Sends bytes; resolves when the kernel has them, or the stream has ended. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#hasEnded) return undefined
    const sent = this.#unsent.length ? 0 : Math.max(0, this.#socket?.write(bytes) ?? 0)
    if (sent === bytes.length) return undefined
    this.#unsent.push(bytes.slice(sent))
    this.#queued += bytes.length - sent
    this.#drained ??= Promise.withResolvers()
    return this.#drained.promise
  }

  #flush(): void {
    for (let first = this.#unsent[0]; first; first = this.#unsent[0]) {
      const sent = this.#socket?.write(first) ?? -1
      if (sent < 0) return this.close()
      this.#queued -= sent
      if (sent < first.length) {
        this.#unsent[0] = first.subarray(sent)
        return
      }
      this.#unsent.shift()
    }
    this.#drained?.resolve()
    this.#drained = undefined
  }

  /** Stops or continues the arrival of bytes. */
  pause(isPaused: boolean): void {
    if (this.#isPaused === isPaused || this.#hasEnded) return
    this.#isPaused = isPaused
    if (isPaused) this.#socket?.pause()
    else this.#socket?.resume()
  }

  /** Ends the stream once everything is sent. */
  finish(): void {
    if (!this.#unsent.length) return this.#close()
    void this.#drained?.promise.then(() => this.#close())
    setTimeout(() => this.close(), FINISH_MS).unref()
  }

  #close(): void {
    this.#socket?.end()
    this.#end()
  }

  /** Ends the stream at once. */
  close(): void {
    this.#socket?.terminate()
    this.#end()
  }

  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#unsent = []
    this.#queued = 0
    this.#drained?.resolve()
    this.#user.ended()
  }
}
