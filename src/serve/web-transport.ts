/** The transport over a WebSocket: a message is one frame or more. */
import type { ServerWebSocket } from 'bun'
import type { Tunnel } from '../preview/tunnel.ts'
import type { Transport, TransportUser } from '../session/transport.ts'

/** Codes with which the server closes a socket (RFC 6455, 7.4.2: 4000 and up are an application's own). */
export const CLOSE = { signedOut: 4401, misuse: 4408, ends: 4503 } as const

export const MAX_MESSAGE = 2 << 20 // bytes of a message: twice the largest frame
/** Bytes that may wait to be sent. Output stops far below (session/feed.ts); only replies to a browser that does not read get here. */
export const MAX_QUEUED = 16 << 20

export interface SocketData {
  transport: WebTransport | undefined
  /** A WebSocket of a preview instead of a session. */
  readonly tunnel?: Tunnel
  /** Its browser: the id, and a name for people. */
  readonly browser: string
  readonly name: string
  readonly readonly: boolean
  /** The Host field under which the browser has the page. */
  readonly host: string
}

export class WebTransport implements Transport {
  readonly peer = undefined
  readonly origin = 'web'
  readonly passesDescriptors = false
  readonly browser: string
  readonly #socket: ServerWebSocket<SocketData>
  #user: TransportUser | undefined
  #isGone = false

  constructor(socket: ServerWebSocket<SocketData>) {
    this.#socket = socket
    this.browser = socket.data.browser
  }

  /** Sets the user, before the first bytes arrive. */
  serve(user: TransportUser): void {
    this.#user = user
  }

  /** Whether the browser has gone, or was sent away. */
  get isGone(): boolean {
    return this.#isGone
  }

  get queued(): number {
    return this.#isGone ? 0 : this.#socket.getBufferedAmount()
  }

  data(bytes: Uint8Array): void {
    this.#user?.data(bytes)
  }

  send(...parts: readonly Uint8Array[]): void {
    if (this.#isGone) return
    const [first] = parts
    const whole = parts.length === 1 && first ? first : Buffer.concat(parts)
    // 0: it was dropped, because too much waits. A stream with a hole is of no use.
    if (this.#socket.sendBinary(whole) === 0) this.end(CLOSE.misuse, 'too much waits to be sent')
  }

  drain(): void {
    this.#user?.drained()
  }

  close(): void {
    this.end(CLOSE.misuse, 'the connection was misused')
  }

  end(code: number, reason: string): void {
    if (this.#isGone) return
    this.#socket.close(code, reason)
    this.gone()
  }

  gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#user?.gone()
  }
}
