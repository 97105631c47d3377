/** One connection to the daemon, seen from a client. */
import type { Socket } from 'bun'
import { peerCredentials } from '../../ffi/descriptors.ts'
import { CoopError, errorFromJson } from '../core/errors.ts'
import { daemonSocket, type Paths } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import type { WindowSize } from '../core/window-size.ts'
import type { Call, CallName, Reply, Request } from '../protocol/calls.ts'
import type { CoopEvent } from '../protocol/events.ts'
import {
  decodeOutput,
  encodeInput,
  encodeJson,
  encodeTyped,
  FRAME_INPUT,
  FRAME_JSON,
  FRAME_OUTPUT,
  FRAME_PICTURE,
  FRAME_SCREEN,
  type Frame,
  FrameDecoder,
  type TypedDirectly,
  takeChannel,
} from '../protocol/frames.ts'
import type { ClientMessage } from '../protocol/messages.ts'
import { type ExitMessage, PROTOCOL, parseServerMessage } from '../protocol/server-messages.ts'

/** The daemon's description of itself. */
export interface Greeting {
  readonly protocol: number
  readonly version: string
  /** Whether a daemon that this process starts could give boxes more. */
  readonly outdone: boolean
}

const CHANNEL = 0 // a command of the command line shows one terminal at a time

/** One id for all connections of this process, so that the next daemon recognizes it. */
const CLIENT_ID = 1 + (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)

/** Raised when the daemon goes away. A caller that can continue with another one does so. */
class ConnectionLost extends CoopError {
  constructor(cause: Error | undefined) {
    super('E_DAEMON', 'the connection to the coop daemon was lost', { hint: 'coop system logs -n 20', cause })
  }
}

/** Returns whether a call failed because the daemon went away. */
export function isLost(error: unknown): boolean {
  return error instanceof ConnectionLost
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class Session {
  onOutput: (offset: number, bytes: Uint8Array) => void = () => {}
  /** Called with the whole screen, which replaces everything shown before. */
  onScreen: (offset: number, bytes: Uint8Array) => void = () => {}
  /** Called with changes to the shown screen, which then includes the stream up to `offset`. */
  onPicture: (offset: number, bytes: Uint8Array) => void = () => {}
  /** Called with the number of this session's input bytes that have reached the program's terminal. */
  onTaken: (count: number) => void = () => {}
  /** Called when this client's terminal answers questions from an offset on (undefined: no more), and `asked` now. */
  onAnswers: (from: number | undefined, asked: Uint8Array) => void = () => {}
  /** Called when the command was suspended. */
  onStopped: () => void = () => {}
  onEvent: (event: CoopEvent) => void = () => {}
  onNotice: (text: string) => void = () => {}
  /** Called when the connection ends without `close`. */
  onLost: (error?: Error) => void = () => {}
  /** The reason that the daemon gave for ending, if it did. */
  farewell: 'retire' | 'shutdown' | undefined
  readonly exited: Promise<ExitMessage>
  #resolveExit!: (message: ExitMessage) => void
  #socket: Socket | undefined
  readonly #decoder = new FrameDecoder()
  readonly #pending = new Map<number, Pending>()
  readonly #hello = Promise.withResolvers<Greeting>()
  #queue: Uint8Array[] = []
  #next = 0
  #closed = false

  private constructor() {
    this.exited = new Promise((resolve) => {
      this.#resolveExit = resolve
    })
  }

  /** Connects and greets. Rejects when no daemon listens. */
  static async connect(paths: Paths): Promise<{ session: Session; daemon: Greeting }> {
    const session = new Session()
    session.#hello.promise.catch(() => {})
    await Bun.connect({
      unix: daemonSocket(paths),
      socket: {
        open: (socket) => {
          session.#socket = socket
          // Another user's daemon would learn the caller's whole environment.
          if (peerCredentials(session.descriptor).uid !== process.getuid?.()) {
            session.#lost()
            socket.end()
          }
        },
        data: (_, bytes) => session.#data(bytes),
        drain: () => session.#drain(),
        close: () => session.#lost(),
        // Errors thrown by our own handlers arrive here, too; the cause keeps them apart from a dead daemon.
        error: (_, error) => session.#lost(error),
        connectError: () => session.#lost(),
      },
    })
    const { dataDir } = paths
    session.#tell({ type: 'hello', protocol: PROTOCOL, version: VERSION, dataDir, client: CLIENT_ID })
    return { session, daemon: await session.#hello.promise }
  }

  /** Makes a call; rejects with the daemon's CoopError. */
  call<N extends CallName>(name: N, request: Request<N>): Promise<Reply<N>> {
    const id = ++this.#next
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { resolve, reject })
    if (this.#closed) this.#lost()
    else this.#tell({ type: 'call', id, call: { do: name, ...request } as Call })
    return promise as Promise<Reply<N>> // replies of our own daemon are trusted
  }

  input(bytes: Uint8Array): void {
    this.#send(encodeInput(CHANNEL, bytes))
  }

  /** Reports input that was typed into the terminal directly. */
  typed(input: TypedDirectly): void {
    this.#send(encodeTyped(CHANNEL, input))
  }

  /** The socket, for polling: readable when the daemon has sent something. */
  get descriptor(): number {
    return (this.#socket as unknown as { fd: number }).fd
  }

  /** The process that listens, by its number here; -1 when the connection has ended. */
  get peer(): number {
    return this.#closed ? -1 : peerCredentials(this.descriptor).pid
  }

  get isClosed(): boolean {
    return this.#closed
  }

  resize(size: WindowSize): void {
    this.#tell({ type: 'resize', size, visible: true })
  }

  /** Asks an older daemon to make room for this release's. Resolves when it is gone. */
  retire(): Promise<void> {
    const gone = Promise.withResolvers<void>()
    this.onLost = () => gone.resolve()
    if (this.#closed) gone.resolve()
    else this.#tell({ type: 'retire' })
    return gone.promise
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
      throw new CoopError('E_USAGE', 'the command and its variables are too large (1 MiB at most)', {
        hint: 'pass long values in a file of the workspace',
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
    if (type === FRAME_JSON) return this.#message(payload)
    if (type === FRAME_INPUT) return // only clients send input
    const { offset, bytes } = decodeOutput(takeChannel(payload).rest)
    if (type === FRAME_OUTPUT) this.onOutput(offset, bytes)
    else if (type === FRAME_SCREEN) this.onScreen(offset, bytes)
    else if (type === FRAME_PICTURE) this.onPicture(offset, bytes)
    else this.onTaken(offset)
  }

  #message(payload: Uint8Array): void {
    const message = parseServerMessage(payload)
    if (!message) return
    switch (message.type) {
      case 'hello':
        this.#hello.resolve({ ...message, outdone: message.outdone === true })
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
      case 'stopped':
        this.onStopped()
        return
      case 'notice':
        this.onNotice(message.text)
        return
      case 'answers':
        this.onAnswers(message.from, Buffer.from(message.asked ?? '', 'base64'))
        return
      case 'bye':
        this.farewell = message.why
        return
      case 'event':
        this.onEvent(message.event)
    }
  }

  #lost(cause?: Error): void {
    const mine = this.#closed
    this.#closed = true
    const error = new ConnectionLost(cause)
    this.#hello.reject(new Error('lost before the greeting'))
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    if (!mine) this.onLost(cause)
  }
}
