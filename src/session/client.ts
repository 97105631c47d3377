/** One client of the daemon: its greeting, its calls, and its terminals and commands, each on a channel of its own. */
import { type CoopError, errorToJson } from '../core/errors.ts'
import { VERSION } from '../core/version.ts'
import { callerOf } from '../host/callers.ts'
import type { Call } from '../protocol/calls.ts'
import type { CoopEvent, WaitingEvent } from '../protocol/events.ts'
import {
  encodeJson,
  FRAME_INPUT,
  FRAME_JSON,
  FRAME_SHOWN,
  FRAME_TYPED,
  type Frame,
  FrameDecoder,
  takeChannel,
} from '../protocol/frames.ts'
import { type ClientMessage, parseClientMessage } from '../protocol/messages.ts'
import { OLDEST_PROTOCOL } from '../protocol/older.ts'
import { PROTOCOL, type ServerMessage } from '../protocol/server-messages.ts'
import type { Caller } from '../sandbox/caller.ts'
import { ClientChannel } from './client-channel.ts'
import { elsewhere } from './elsewhere.ts'
import { type Message, Requests } from './requests.ts'
import type { Transport, TransportUser } from './transport.ts'

const MAX_CHANNELS = 256 // for one client; each may show a terminal
const MAX_EVENTS_QUEUED = 256 * 1024 // bytes; a client that is further behind misses events, and is told how many

export interface Handler {
  call(channel: ClientChannel, call: Call): Promise<unknown>
  /** Called for a call that was refused unread: drops the descriptors that were sent ahead for it. */
  refused(client: Client): void
  closed(client: Client): void
  /** Returns whether a daemon that the client starts could give boxes more. */
  isOutdoneBy(client: Client): boolean
  /** Called when another daemon is to take over. */
  retire(): void
}

export class Client implements TransportUser {
  readonly transport: Transport
  readonly #handler: Handler
  readonly #dataDir: string
  readonly #decoder = new FrameDecoder()
  readonly #channels = new Map<number, ClientChannel>()
  #id = 0
  #protocol = 0
  #elsewhere: CoopError | undefined
  #isGone = false
  #caller: Caller | undefined
  #isCallerKnown = false
  #stopEvents: (() => void) | undefined
  #lostEvents = 0
  readonly #requests: Requests

  constructor(transport: Transport, handler: Handler, dataDir: string) {
    this.transport = transport
    this.#handler = handler
    this.#dataDir = dataDir
    this.#requests = new Requests({
      get queued() {
        return transport.queued
      },
      parse: (payload) => parseClientMessage(payload, this.#protocol),
      handle: (message) => this.#handle(message),
      pause: (isPaused) => transport.pause?.(isPaused),
      close: () => this.close(),
    })
  }

  /** The client's own choice, which it keeps when it comes back to another daemon. */
  get id(): number {
    return this.#id
  }

  /**
   * What its process hands down; undefined if that is not known. Read once, when it is first needed: only few calls
   * start anything, and their process waits for the answer.
   */
  get caller(): Caller | undefined {
    if (!this.#isGone && !this.#isCallerKnown) {
      this.#caller = callerOf(this.transport.peer)
      this.#isCallerKnown = true
    }
    return this.#caller
  }

  /** Whether its frames have channels. */
  get hasChannels(): boolean {
    return this.#protocol > OLDEST_PROTOCOL
  }

  data(bytes: Uint8Array): void {
    try {
      for (const frame of this.#decoder.push(bytes)) this.#frame(frame)
    } catch {
      this.close()
    }
  }

  #frame({ type, payload }: Frame): void {
    if (this.#isGone) return
    if (type === FRAME_JSON) return this.#message(payload)
    const { channel, rest } = this.hasChannels ? takeChannel(payload) : { channel: 0, rest: payload }
    if (type === FRAME_INPUT) this.#channels.get(channel)?.input(rest)
    else if (type === FRAME_TYPED) this.#channels.get(channel)?.typedDirectly(rest)
    else if (type === FRAME_SHOWN) this.#channels.get(channel)?.shown(rest)
    else this.close()
  }

  #message(payload: Uint8Array): void {
    if (this.#protocol) return this.#requests.push(payload)
    const message = parseClientMessage(payload, this.#protocol)
    if (message?.type === 'hello') this.#greet(message)
    else this.close()
  }

  #handle(message: Message): void {
    if (this.#isGone) return
    switch (message.type) {
      case 'call':
        return void this.#call(message.id, message.channel ?? 0, message.call)
      case 'refused':
        return this.#refuse(message.id, message.error)
      case 'resize':
        return this.#channels.get(message.channel ?? 0)?.activity?.feed?.resize(message.size, message.visible)
      case 'signal':
        return this.#channels.get(message.channel ?? 0)?.activity?.signal?.(message.signal)
      case 'close':
        return this.#closeChannel(message.channel)
      case 'retire':
        return this.#handler.retire()
      case 'hello':
    }
  }

  /** Greets a client: an older release gets its own protocol; a newer one is told ours, and decides. */
  #greet(message: ClientMessage & { type: 'hello' }): void {
    this.#protocol = Math.max(OLDEST_PROTOCOL, Math.min(message.protocol, PROTOCOL))
    this.#id = message.client ?? this.transport.peer ?? 0
    this.#elsewhere = elsewhere(this.#dataDir, message.dataDir)
    const hello = { type: 'hello', protocol: this.#protocol, version: VERSION, pid: process.pid } as const
    this.tell(this.#handler.isOutdoneBy(this) ? { ...hello, outdone: true } : hello)
  }

  async #call(id: number, number: number, call: Call): Promise<void> {
    if (this.#elsewhere) return this.#refuse(id, this.#elsewhere)
    const ended = this.#requests.begin()
    try {
      const value = await this.#handler.call(this.#channel(number), call)
      this.tell({ type: 'result', id, value: value ?? null })
    } catch (error) {
      this.tell({ type: 'error', id, error: errorToJson(error) })
    }
    ended()
  }

  #refuse(id: number, error: CoopError): void {
    this.#handler.refused(this)
    this.tell({ type: 'error', id, error: errorToJson(error) })
  }

  #channel(number: number): ClientChannel {
    const known = this.#channels.get(number)
    if (known) return known
    const channel = new ClientChannel(this, number)
    if (this.#channels.size >= MAX_CHANNELS) throw new RangeError('this client has too many channels')
    this.#channels.set(number, channel)
    return channel
  }

  #closeChannel(number: number): void {
    this.#channels.get(number)?.gone()
    this.#channels.delete(number)
  }

  tell(message: ServerMessage): void {
    this.transport.send(encodeJson(message))
  }

  /** Sends every event to this client from now on. */
  watchEvents(listen: (hear: (event: CoopEvent) => void) => () => void): void {
    this.#stopEvents ??= listen((event) => this.#event(event))
  }

  #event(event: CoopEvent): void {
    const isNew = event.event === 'agent' || event.event === 'browser' || event.event === 'listeners'
    if (isNew && !this.hasChannels) return // unknown to the release before, which prints what it gets
    if (this.transport.queued > MAX_EVENTS_QUEUED) {
      this.#lostEvents++
      return
    }
    if (this.#lostEvents) this.tell({ type: 'event', event: { event: 'lost', count: this.#lostEvents } })
    this.#lostEvents = 0
    this.tell({ type: 'event', event })
  }

  /** Tells a person who looks at one box that the agent of another waits. */
  tellWaiting(event: WaitingEvent): void {
    if (this.#stopEvents) return // it hears everything
    const shown = [...this.#channels.values()].flatMap(({ activity }) => activity?.box ?? [])
    if (shown.length && !shown.includes(event.box)) this.tell({ type: 'event', event })
  }

  drained(): void {
    this.#requests.goOn()
    for (const channel of this.#channels.values()) channel.activity?.feed?.catchUp()
  }

  close(): void {
    this.transport.close()
  }

  gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#requests.end()
    this.#stopEvents?.()
    for (const channel of this.#channels.values()) channel.gone()
    this.#channels.clear()
    this.#handler.closed(this)
  }
}
