/** One connection to the daemon, seen from a client. */
import type { Socket } from 'bun'
import { peerCredentials } from '../../ffi/descriptors.ts'
import { CoopError, errorFromJson } from '../errors.ts'
import {
  decodeOutput,
  encodeFrame,
  encodeJson,
  FRAME_INPUT,
  FRAME_JSON,
  FRAME_OUTPUT,
  type Frame,
  FrameDecoder,
} from '../protocol/frames.ts'
import {
  type Call,
  type ClientMessage,
  PROTOCOL,
  parseServerMessage,
  type ServerMessage,
  type Size,
} from '../protocol/messages.ts'
import { VERSION } from '../version.ts'

export type ExitMessage = ServerMessage & { type: 'exit' }

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class Session {
  onOutput: (offset: number, bytes: Uint8Array) => void = () => {}
  onNotice: (text: string) => void = () => {}
  /** The connection ended without anybody having asked for it. */
  onLost: (error?: Error) => void = () => {}
  readonly exited: Promise<ExitMessage>
  #resolveExit!: (message: ExitMessage) => void
  #socket: Socket | undefined
  readonly #decoder = new FrameDecoder()
  readonly #pending = new Map<number, Pending>()
  readonly #hello = Promise.withResolvers<void>()
  #queue: Uint8Array[] = []
  #next = 0
  #closed = false

  private constructor() {
    this.exited = new Promise((resolve) => {
      this.#resolveExit = resolve
    })
  }

  /** Connect and greet. Rejects when nobody listens at `path`. */
  static async connect(path: string): Promise<Session> {
    const session = new Session()
    session.#hello.promise.catch(() => {})
    await Bun.connect({
      unix: path,
      socket: {
        open: (socket) => {
          session.#socket = socket
          // Somebody else's daemon would learn the caller's whole environment (ESCAPE 45).
          if (peerCredentials((socket as unknown as { fd: number }).fd).uid !== process.getuid?.()) {
            session.#lost()
            socket.end()
          }
        },
        data: (_, bytes) => session.#data(bytes),
        drain: () => session.#drain(),
        close: () => session.#lost(),
        // What a handler of ours throws arrives here as well: not to be mistaken for a dead daemon.
        error: (_, error) => session.#lost(error),
        connectError: () => session.#lost(),
      },
    })
    session.#tell({ type: 'hello', protocol: PROTOCOL, version: VERSION })
    await session.#hello.promise
    return session
  }

  /** Ask the daemon for something; rejects with its CoopError. */
  call<T>(call: Call): Promise<T> {
    const id = ++this.#next
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { resolve, reject })
    if (this.#closed) this.#lost()
    else this.#tell({ type: 'call', id, call })
    return promise as Promise<T>
  }

  input(bytes: Uint8Array): void {
    this.#send(encodeFrame(FRAME_INPUT, bytes))
  }

  resize(size: Size): void {
    this.#tell({ type: 'resize', size })
  }

  signal(signal: number): void {
    this.#tell({ type: 'signal', signal })
  }

  close(): void {
    this.#closed = true
    this.#socket?.end()
  }

  #tell(message: ClientMessage): void {
    try {
      this.#send(encodeJson(message))
    } catch (error) {
      throw new CoopError('E_USAGE', 'the command or the environment is too large (1 MiB at most)', {
        cause: error,
      })
    }
  }

  #send(bytes: Uint8Array): void {
    if (this.#closed) return
    this.#queue.push(bytes)
    if (this.#queue.length === 1) this.#drain()
  }

  #drain(): void {
    while (this.#queue[0]) {
      const first = this.#queue[0]
      const n = this.#socket?.write(first) ?? 0
      if (n < 0) return this.#lost()
      if (n < first.length) {
        this.#queue[0] = first.subarray(n)
        return
      }
      this.#queue.shift()
    }
  }

  #data(bytes: Uint8Array): void {
    for (const frame of this.#decoder.push(bytes)) this.#frame(frame)
  }

  #frame({ type, payload }: Frame): void {
    if (type === FRAME_OUTPUT) {
      const { offset, bytes } = decodeOutput(payload)
      this.onOutput(offset, bytes)
      return
    }
    const message = type === FRAME_JSON ? parseServerMessage(payload) : undefined
    if (!message) return
    switch (message.type) {
      case 'hello':
        if (message.protocol === PROTOCOL) this.#hello.resolve()
        else
          this.#hello.reject(
            new CoopError(
              'E_DAEMON',
              `a coop daemon of version ${message.version} runs, this is ${VERSION}`,
              {
                hint: 'coop system shutdown (boxes go on), then try again',
              },
            ),
          )
        return
      case 'result':
        this.#pending.get(message.id)?.resolve(message.value)
        this.#pending.delete(message.id)
        return
      case 'error':
        this.#pending.get(message.id)?.reject(errorFromJson(message.error))
        this.#pending.delete(message.id)
        return
      case 'exit':
        this.#resolveExit(message)
        return
      case 'notice':
        this.onNotice(message.text)
    }
  }

  #lost(cause?: Error): void {
    const mine = this.#closed
    this.#closed = true
    const error = new CoopError('E_DAEMON', 'the connection to the coop daemon was lost', {
      hint: 'coop system logs -n 20',
      cause,
    })
    this.#hello.reject(new Error('lost before the greeting'))
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    if (!mine) this.onLost(cause)
  }
}
