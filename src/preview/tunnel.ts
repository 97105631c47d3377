/** A WebSocket of a browser, carried on to a server in a box. */
import { createHash, randomBytes } from 'node:crypto'
import { awaitHead } from './exchange.ts'
import { Share } from './held.ts'
import { type Header, type ResponseHead, requestHead, tokensOf } from './http-head.ts'
import {
  BadFrame,
  BINARY,
  CLOSE,
  closing,
  FrameReader,
  frame,
  type Message,
  PING,
  PONG,
  TEXT,
} from './socket-frames.ts'
import type { Wire } from './wire.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11' // RFC 6455, section 1.3
const MAX_QUEUED = 16 << 20 // bytes that a server in the box may leave unread
const GONE = 1001
const BROKEN = 1011
const TOO_MUCH = 1013

/** The browser's side of the tunnel: what Bun's ServerWebSocket has. */
export interface BrowserSocket {
  sendText(text: string): number
  sendBinary(bytes: Uint8Array): number
  close(code?: number, reason?: string): void
  getBufferedAmount(): number
}

export class Tunnel {
  readonly #wire: Wire
  readonly #ended: () => void
  #socket: BrowserSocket | undefined
  readonly #reader = new FrameReader()
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #share = new Share()
  #isOver = false
  /** What the server chose of the protocols that the browser offered. */
  readonly protocol: string | undefined

  /** `rest`: bytes that came right behind the answer. `ended` is called once. */
  constructor(wire: Wire, protocol: string | undefined, rest: Uint8Array, ended: () => void) {
    this.#wire = wire
    this.protocol = protocol
    this.#ended = ended
    this.#early = rest
    wire.pause(true) // until the browser is there
    wire.use({ data: (bytes) => this.#data(bytes), ended: () => this.end(GONE, 'the server hung up') })
  }

  #early: Uint8Array | undefined

  /** The browser's side is open. */
  open(socket: BrowserSocket): void {
    if (this.#isOver) return socket.close(GONE, 'the server hung up')
    this.#socket = socket
    const early = this.#early
    this.#early = undefined
    if (early?.length) this.#data(early)
    this.#wire.pause(false)
  }

  /** The browser sent a message. */
  message(message: string | Uint8Array): void {
    if (this.#isOver) return
    const isText = typeof message === 'string'
    void this.#wire.write(frame(isText ? TEXT : BINARY, isText ? Buffer.from(message) : message))
    if (this.#wire.queued > MAX_QUEUED) this.end(TOO_MUCH, 'the server does not read')
    else this.#count()
  }

  /** The browser has taken everything. */
  drain(): void {
    this.#wire.pause(false)
    this.#count()
  }

  /** The browser's side has closed. */
  closed(code: number, reason: string): void {
    if (this.#isOver) return
    // 1005 and 1006 mean that no close frame came, and are never sent (RFC 6455, section 7.4.1).
    const isSaid = code >= 1000 && code < 5000 && ![1004, 1005, 1006, 1015].includes(code)
    void this.#wire.write(frame(CLOSE, isSaid ? closing(code, reason) : new Uint8Array(0)))
    this.end(GONE, '')
  }

  /** Ends both sides. */
  end(code: number, reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#share.set(0)
    this.#socket?.close(code, reason)
    this.#wire.use(undefined)
    this.#wire.finish()
    this.#ended()
  }

  /** Ends this one if all hold too much. */
  #count(): void {
    const held = this.#reader.held + this.#wire.queued + (this.#socket?.getBufferedAmount() ?? 0)
    if (this.#isOver || this.#share.set(held)) return
    this.end(TOO_MUCH, 'previews hold too much')
  }

  #data(bytes: Uint8Array): void {
    if (!this.#socket) {
      this.#early = Buffer.concat([this.#early ?? new Uint8Array(0), bytes])
      return
    }
    try {
      for (const message of this.#reader.push(bytes)) {
        if (this.#isOver) return
        this.#heard(message, this.#socket)
      }
      this.#count()
    } catch (error) {
      this.end(BROKEN, error instanceof BadFrame ? error.message : 'the server sent a malformed message')
    }
  }

  #heard({ opcode, payload }: Message, socket: BrowserSocket): void {
    if (opcode === PING) void this.#wire.write(frame(PONG, payload))
    else if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1000
      const isFine =
        code === 1000 || (code >= 1001 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || code >= 3000
      this.end(isFine && code < 5000 ? code : BROKEN, payload.toString('utf8', 2))
    } else if (opcode !== PONG) {
      const sent = opcode === TEXT ? socket.sendText(this.#text.decode(payload)) : socket.sendBinary(payload)
      if (sent <= 0 && payload.length) this.#wire.pause(true)
    }
  }
}

/** The server in the box answered with something else than a WebSocket. */
export class NoTunnel extends Error {
  override readonly name = 'NoTunnel'
  readonly head: ResponseHead | undefined
  constructor(head?: ResponseHead) {
    super('no WebSocket')
    this.head = head
  }
}

/** Asks the server in the box for a WebSocket. Rejects with {@link NoTunnel} and like an exchange. */
export function openTunnel(
  wire: Wire,
  target: string,
  headers: readonly Header[],
  ended: () => void,
): Promise<Tunnel> {
  const { promise, resolve, reject } = Promise.withResolvers<Tunnel>()
  const key = randomBytes(16).toString('base64')
  const offered = tokensOfCase(headers, 'sec-websocket-protocol')
  const own: Header[] = [
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ]
  const kept = headers.filter(
    ([name]) => !name.startsWith('sec-websocket-') || name === 'sec-websocket-protocol',
  )
  const taken = (head: ResponseHead, rest: Uint8Array): void => {
    const chosen = tokensOfCase(head.headers, 'sec-websocket-protocol')
    const accept = head.headers.find(([name]) => name === 'sec-websocket-accept')?.[1]
    const isRight =
      head.status === 101 &&
      accept ===
        createHash('sha1')
          .update(key + GUID)
          .digest('base64') &&
      chosen.length <= 1 &&
      chosen.every((one) => offered.includes(one)) &&
      !tokensOf(head.headers, 'sec-websocket-extensions').length
    if (isRight) return resolve(new Tunnel(wire, chosen[0], rest, ended))
    wire.close()
    reject(new NoTunnel(head.status === 101 ? undefined : head))
  }
  awaitHead(wire, 'GET', taken, reject)
  void wire.write(requestHead('GET', target, [...kept, ...own]))
  return promise
}

/** Names of protocols differ by case. */
const tokensOfCase = (headers: readonly Header[], name: string): string[] =>
  headers
    .filter(([one]) => one === name)
    .flatMap(([, value]) => value.split(','))
    .map((token) => token.trim())
    .filter(Boolean)
