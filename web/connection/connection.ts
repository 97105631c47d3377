/**
 * The page's one connection to the daemon: calls, events and terminals, each of these on a channel of its own. It comes
 * back by itself; what was shown and typed on a channel continues there (terminal-line.ts).
 */
import { type ReadonlySignal, signal } from '@preact/signals'
import { CoopError, errorFromJson } from '../../src/core/errors.ts'
import type { CallName, Reply, Request } from '../../src/protocol/calls.ts'
import type { CoopEvent } from '../../src/protocol/events.ts'
import {
  decodeOutput,
  encodeInput,
  encodeJson,
  encodeShown,
  FRAME_JSON,
  FRAME_OUTPUT,
  FRAME_PICTURE,
  FRAME_SCREEN,
  FRAME_TAKEN,
  type Frame,
  FrameDecoder,
  takeChannel,
} from '../../src/protocol/frames.ts'
import {
  type ExitMessage,
  PROTOCOL,
  parseServerMessage,
  type ServerMessage,
} from '../../src/protocol/server-messages.ts'
import { delayBefore } from './backoff.ts'
import { Receipts } from './receipts.ts'

/** `away`: there is no connection now, and another attempt follows. `ended`: the same, because serving was stopped. */
export type LinkState = 'connecting' | 'online' | 'away' | 'ended' | 'signed-out'

/** The user of a channel. */
export interface ChannelUser {
  /** `shown` is to be called once the bytes are shown, or nobody wants them: the daemon waits for that. */
  output(offset: number, bytes: Uint8Array, shown: () => void): void
  screen(offset: number, bytes: Uint8Array, shown: () => void): void
  picture(offset: number, bytes: Uint8Array, shown: () => void): void
  taken(count: number): void
  notice(text: string): void
  exit(message: ExitMessage): void
  /** A connection has been made, and the channel is not known to it. */
  connected(): void
  lost(): void
}

/** The parts of a WebSocket that are used; tests have their own. */
export interface Socket {
  binaryType: string
  readonly bufferedAmount: number
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(): void
  onopen: (() => void) | null
  onclose: ((event: { readonly code: number }) => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
}

export interface ConnectionOptions {
  connect(): Socket
  /** Asked after an attempt that failed: false means that this browser is signed out; undefined, that nobody answers. */
  isSignedIn(): Promise<boolean | undefined>
  /** A random number of the page's. */
  readonly client: number
  readonly version: string
  random?(): number
}

export const CLOSED_SIGNED_OUT = 4401
export const CLOSED_ENDING = 4503
const MAX_CHANNEL = 0xffff
const HEADER = 5 // bytes of a frame before its payload
const PROBE_MS = 20_000 // between two questions whether the other end is still there
const ANSWER_MS = 6_000 // for its answer; a slow link has up to a second of output before it
const SILENT_MS = 1_500 // input is confirmed at once, so after this time without a word the other end is in doubt
const ENDED_RETRY_MS = 2_000 // at least: somebody has to start it again

/** The connection broke before the answer came: nobody knows whether the call was carried out. */
export class ConnectionLost extends CoopError {
  constructor() {
    super('E_DAEMON', 'the connection was lost before the answer came', {
      hint: 'look whether it was done, and try again',
    })
  }
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #state = signal<LinkState>('connecting')
  /** When the next attempt begins, in milliseconds since 1970. */
  readonly retryAt = signal<number | undefined>(undefined)
  /** The daemon's release, since its greeting. */
  readonly release = signal<string | undefined>(undefined)
  /** The daemon speaks another protocol than this page: it was updated, and the page has to be loaded again. */
  readonly isOutdated = signal(false)
  #socket: Socket | undefined
  #decoder = new FrameDecoder()
  #pending = new Map<number, Pending>()
  #nextCall = 0
  #nextChannel = 0
  readonly #channels = new Map<number, ChannelUser>()
  #receipts = new Receipts(() => {})
  readonly #listeners = new Set<(event: CoopEvent) => void>()
  readonly #onlineListeners = new Set<() => void>()
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #probe: ReturnType<typeof setInterval> | undefined
  #answer: ReturnType<typeof setTimeout> | undefined
  #silence: ReturnType<typeof setTimeout> | undefined
  #bye: 'retire' | 'shutdown' | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get state(): ReadonlySignal<LinkState> {
    return this.#state
  }

  get isOnline(): boolean {
    return this.#state.value === 'online'
  }

  start(): void {
    this.#open()
    this.#probe = setInterval(() => this.isOnline && this.check(), PROBE_MS)
  }

  /** Ends it for good, as after signing out. */
  stop(): void {
    clearInterval(this.#probe)
    this.#giveUp()
    this.#state.value = 'signed-out'
  }

  /** Makes a call. Rejects with the daemon's CoopError, or with {@link ConnectionLost}. */
  call<N extends CallName>(name: N, request: Request<N>, channel?: number): Promise<Reply<N>> {
    return this.#call(name, request, channel) as Promise<Reply<N>> // replies of our own daemon are trusted
  }

  #call(name: string, request: object, channel?: number): Promise<unknown> {
    if (!this.isOnline) return Promise.reject(new ConnectionLost())
    const id = ++this.#nextCall
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { resolve, reject })
    this.#tell({ type: 'call', id, ...(channel ? { channel } : {}), call: { ...request, do: name } })
    return promise
  }

  /** Calls back with every event. Returns the function that ends that. */
  onEvent(listener: (event: CoopEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls back whenever a connection has been made, and at once if there is one. */
  onOnline(listener: () => void): () => void {
    this.#onlineListeners.add(listener)
    if (this.isOnline) listener()
    return () => this.#onlineListeners.delete(listener)
  }

  /** Takes a channel, which stays the user's until `close`. */
  takeChannel(user: ChannelUser): number {
    do this.#nextChannel = (this.#nextChannel % MAX_CHANNEL) + 1
    while (this.#channels.has(this.#nextChannel))
    this.#channels.set(this.#nextChannel, user)
    return this.#nextChannel
  }

  closeChannel(channel: number): void {
    this.#receipts.forget(channel)
    if (this.#channels.delete(channel) && this.isOnline) this.#tell({ type: 'close', channel })
  }

  input(channel: number, bytes: Uint8Array): void {
    this.#send(encodeInput(channel, bytes))
    this.#silence ??= setTimeout(() => this.isOnline && this.check(), SILENT_MS)
  }

  #heard(): void {
    clearTimeout(this.#silence)
    this.#silence = undefined
  }

  resize(channel: number, size: object, visible: boolean): void {
    if (this.isOnline) this.#tell({ type: 'resize', channel, size, visible })
  }

  /**
   * Finds out whether the connection still works: after sleep or a change of the network the browser may notice nothing
   * for minutes. Connects at once if there is none.
   */
  check(): void {
    if (this.#state.value === 'signed-out') return
    if (!this.isOnline) {
      if (this.#retry !== undefined) this.#open()
      return
    }
    if (this.#answer !== undefined) return
    const socket = this.#socket
    this.#answer = setTimeout(() => {
      this.#answer = undefined
      if (socket === this.#socket) this.#lost(0)
    }, ANSWER_MS)
    const done = (): void => {
      clearTimeout(this.#answer)
      this.#answer = undefined
    }
    this.#call('system.status', {}).then(done, done)
  }

  #open(): void {
    this.#giveUp()
    if (this.#state.value !== 'ended') this.#state.value = this.#attempt ? 'away' : 'connecting'
    const socket = this.#options.connect()
    this.#socket = socket
    this.#decoder = new FrameDecoder()
    this.#receipts.end()
    this.#receipts = new Receipts((channel, count) => this.#send(encodeShown(channel, count)))
    this.#bye = undefined
    let isOpen = false
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      isOpen = true
      const { version, client } = this.#options
      this.#tell({ type: 'hello', protocol: PROTOCOL, version, client })
    }
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket && data instanceof ArrayBuffer) this.#data(new Uint8Array(data))
    }
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#lost(code, isOpen)
    }
  }

  #giveUp(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#answer)
    this.#retry = this.#answer = undefined
    this.#heard()
    this.retryAt.value = undefined
    const socket = this.#socket
    this.#socket = undefined
    if (!socket) return
    socket.onopen = socket.onclose = socket.onmessage = null
    socket.close()
  }

  #lost(code: number, wasOpen = true): void {
    const wasOnline = this.isOnline
    const isSignedOut = code === CLOSED_SIGNED_OUT
    const isRetiring = this.#bye === 'retire'
    const isEnding = code === CLOSED_ENDING && !isRetiring
    const staysEnded = this.#state.value === 'ended'
    this.#giveUp()
    this.#state.value = isSignedOut ? 'signed-out' : isEnding || staysEnded ? 'ended' : 'away'
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(new ConnectionLost())
    if (wasOnline) for (const user of [...this.#channels.values()]) user.lost()
    if (isSignedOut) return
    if (wasOpen || wasOnline) return this.#retryIn(isRetiring ? 0 : this.#wait())
    void this.#options.isSignedIn().then((isSignedIn) => {
      if (this.#socket || this.#retry !== undefined || this.#state.value === 'signed-out') return
      if (isSignedIn === false) this.#state.value = 'signed-out'
      else this.#retryIn(this.#wait())
    })
  }

  #wait(): number {
    const delay = delayBefore(this.#attempt++, (this.#options.random ?? Math.random)())
    return this.#state.value === 'ended' ? Math.max(ENDED_RETRY_MS, delay) : delay
  }

  #retryIn(delay: number): void {
    this.retryAt.value = Date.now() + delay
    this.#retry = setTimeout(() => this.#open(), delay)
  }

  #tell(message: object): void {
    this.#send(encodeJson(message))
  }

  #send(bytes: Uint8Array): void {
    // Frames are made of array buffers, never of shared memory.
    this.#socket?.send(bytes as Uint8Array<ArrayBuffer>)
  }

  #data(bytes: Uint8Array): void {
    const socket = this.#socket
    this.#heard()
    try {
      for (const frame of this.#decoder.push(bytes)) if (socket === this.#socket) this.#frame(frame)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#lost(0)
    }
  }

  #frame({ type, payload }: Frame): void {
    if (type === FRAME_JSON) return this.#message(parseServerMessage(payload))
    const { channel, rest } = takeChannel(payload)
    const user = this.#channels.get(channel)
    if (!user) return
    const { offset, bytes } = decodeOutput(rest)
    if (type === FRAME_TAKEN) return user.taken(offset)
    const receipts = this.#receipts
    const shown = (): void => receipts.shown(channel, HEADER + payload.length)
    if (type === FRAME_OUTPUT) user.output(offset, bytes, shown)
    else if (type === FRAME_SCREEN) user.screen(offset, bytes, shown)
    else if (type === FRAME_PICTURE) user.picture(offset, bytes, shown)
  }

  #message(message: ServerMessage | undefined): void {
    if (!message) return
    switch (message.type) {
      case 'hello':
        return this.#greeted(message.protocol, message.version)
      case 'result':
        return this.#settle(message.id)?.resolve(message.value)
      case 'error':
        return this.#settle(message.id)?.reject(errorFromJson(message.error))
      case 'exit':
        return this.#channels.get(message.channel ?? 0)?.exit(message)
      case 'notice':
        return this.#channels.get(message.channel ?? 0)?.notice(message.text)
      case 'bye':
        this.#bye = message.why
        return
      case 'event':
        for (const listener of this.#listeners) listener(message.event)
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #greeted(protocol: number, release: string): void {
    this.release.value = release
    if (protocol !== PROTOCOL) {
      this.isOutdated.value = true
      return this.stop()
    }
    this.#attempt = 0
    this.#state.value = 'online'
    void this.#call('events', {}).catch(() => {}) // its loss is handled elsewhere
    for (const user of [...this.#channels.values()]) user.connected()
    for (const listener of [...this.#onlineListeners]) listener()
  }
}
