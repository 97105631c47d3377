/** One client on the unix socket: frames in, frames out, and at most one running command or attached PTY. */
import type { Socket } from 'bun'
import { peerCredentials } from '../../ffi/descriptors.ts'
import { type CoopError, errorToJson } from '../core/errors.ts'
import { VERSION } from '../core/version.ts'
import {
  decodeTyped,
  encodeJson,
  encodeTaken,
  FRAME_INPUT,
  FRAME_JSON,
  FRAME_TYPED,
  type Frame,
  FrameDecoder,
  type TypedDirectly,
} from '../protocol/frames.ts'
import { type Call, parseClientMessage } from '../protocol/messages.ts'
import { type BoxEvent, PROTOCOL, type ServerMessage } from '../protocol/server-messages.ts'
import type { Pty } from '../terminal/pty.ts'
import { elsewhere } from './elsewhere.ts'
import type { Feed, Outlet } from './feed.ts'

/** What a connection does on behalf of its client until it ends. */
export interface Activity {
  readonly feed?: Feed
  /** The box whose terminal is shown to a person. */
  readonly box?: string
  signal?(signal: number): void
  /** The client is gone. */
  abandon(): void
}

export interface Handler {
  call(connection: Connection, call: Call): Promise<unknown>
  /** Before a call was looked at; what was sent ahead for it is not wanted. */
  refused(connection: Connection): void
  closed(connection: Connection): void
  /** A newer coop wants to take over. */
  retire(): void
}

function quit(activity: Activity): void {
  activity.feed?.close()
  activity.abandon()
}

const TAKEN_MS = 5 // the echo of a key goes first; a client that pastes has 64 KiB under way
const MAX_QUEUED = 64 << 20 // bytes; control replies only, terminal output stops far below

export class Connection implements Outlet {
  #activity: Activity | undefined
  /** The client's own terminal, as it told. */
  terminal: string | undefined
  readonly pid: number
  readonly #socket: Socket<Connection | undefined>
  readonly #handler: Handler
  readonly #dataDir: string
  #elsewhere: CoopError | undefined
  readonly #decoder = new FrameDecoder()
  #queue: Uint8Array[] = []
  #queued = 0
  /** Of the client's input: bytes that came, and those that the terminal has. */
  #typed = 0
  #taken = 0
  #tellTaken: Timer | undefined
  #greeted = false
  #ending = false

  constructor(socket: Socket<Connection | undefined>, handler: Handler, dataDir: string) {
    this.#socket = socket
    this.#handler = handler
    this.#dataDir = dataDir
    this.pid = peerCredentials((socket as unknown as { fd: number }).fd).pid
  }

  get activity(): Activity | undefined {
    return this.#activity
  }

  /** One at a time; what begins when the client is gone already ends at once. */
  set activity(activity: Activity | undefined) {
    const before = this.#activity
    this.#activity = this.#ending ? undefined : activity
    if (activity && before) quit(before)
    if (activity && this.#ending) quit(activity)
  }

  /**
   * Input begins, or goes on where the client's connection to the daemon before us stopped. Returns how much of it
   * the terminal has.
   */
  continueInput({ ring }: Pty, typed: number | undefined): number {
    // Another process had its number.
    if (typed === undefined && ring.typedBy(this.pid)) ring.setTyped({ pid: this.pid, offset: 0 })
    this.#taken = this.#typed = Math.max(typed ?? 0, ring.typedBy(this.pid))
    return this.#taken
  }

  get queued(): number {
    return this.#queued
  }

  data(bytes: Uint8Array): void {
    let frames: Frame[]
    try {
      frames = this.#decoder.push(bytes)
    } catch {
      return this.close()
    }
    for (const frame of frames) this.#frame(frame)
  }

  #frame({ type, payload }: Frame): void {
    if (type === FRAME_INPUT) return this.#input(payload)
    if (type === FRAME_TYPED) return this.#typedDirectly(payload)
    const message = type === FRAME_JSON ? parseClientMessage(payload) : undefined
    if (!message) return this.close()
    if (!this.#greeted) {
      if (message.type !== 'hello') return this.close()
      this.#greeted = true
      this.#elsewhere = elsewhere(this.#dataDir, message.dataDir)
      this.tell({ type: 'hello', protocol: PROTOCOL, version: VERSION, pid: process.pid })
    } else if (message.type === 'call') void this.#call(message.id, message.call)
    else if (message.type === 'refused') this.#refuse(message.id, message.error)
    else if (message.type === 'resize') this.activity?.feed?.resize(message.size, message.visible)
    else if (message.type === 'signal') this.activity?.signal?.(message.signal)
    else if (message.type === 'retire') this.#handler.retire()
  }

  #input(bytes: Uint8Array): void {
    const feed = this.activity?.feed
    if (!feed || feed.readonly) return
    feed.active = Date.now()
    const from = { pid: this.pid, offset: this.#typed }
    const isAccepted = feed.pty.write(bytes, from, (offset) => {
      this.#taken = offset
      this.#tellTaken ??= setTimeout(() => this.#tellOfTaken(), TAKEN_MS)
    })
    if (isAccepted) this.#typed += bytes.length
  }

  /** Input that has not come through here. */
  #typedDirectly(payload: Uint8Array): void {
    const feed = this.activity?.feed
    if (!feed || feed.readonly) return
    let typed: TypedDirectly
    try {
      typed = decodeTyped(payload)
    } catch {
      return this.close()
    }
    if (typed.bytes.length) feed.active = Date.now()
    feed.pty.typed(typed)
  }

  #tellOfTaken(): void {
    this.#tellTaken = undefined
    this.send(encodeTaken(this.#taken))
  }

  async #call(id: number, call: Call): Promise<void> {
    if (this.#elsewhere) return this.#refuse(id, this.#elsewhere)
    try {
      this.tell({ type: 'result', id, value: (await this.#handler.call(this, call)) ?? null })
    } catch (error) {
      this.tell({ type: 'error', id, error: errorToJson(error) })
    }
  }

  #refuse(id: number, error: CoopError): void {
    this.#handler.refused(this)
    this.tell({ type: 'error', id, error: errorToJson(error) })
  }

  tell(message: ServerMessage): void {
    this.send(encodeJson(message))
  }

  notice(text: string): void {
    this.tell({ type: 'notice', text })
  }

  /** Whoever looks at one box is told of the others. */
  event(event: BoxEvent): void {
    if (this.activity?.box !== undefined && this.activity.box !== event.box)
      this.tell({ type: 'event', event })
  }

  send(...parts: Uint8Array[]): void {
    for (const part of parts) {
      if (this.#ending) return
      const sent = this.#queue.length ? 0 : this.#socket.write(part)
      if (sent < 0) return this.close()
      if (sent === part.length) continue
      this.#queue.push(Uint8Array.prototype.slice.call(part, sent))
      this.#queued += part.length - sent
    }
    if (this.#queued > MAX_QUEUED) this.close()
    else if (!this.#queue.length) this.activity?.feed?.catchUp()
  }

  drain(): void {
    while (this.#queue[0]) {
      const first = this.#queue[0]
      const n = this.#socket.write(first)
      if (n < 0) return this.close()
      this.#queued -= n
      if (n < first.length) {
        this.#queue[0] = first.subarray(n)
        return
      }
      this.#queue.shift()
    }
    this.activity?.feed?.catchUp()
  }

  close(): void {
    this.#socket.end()
    this.gone()
  }

  /** The socket is closed, by whomever. */
  gone(): void {
    if (this.#ending) return
    this.#ending = true
    clearTimeout(this.#tellTaken)
    const activity = this.#activity
    this.#activity = undefined
    if (activity) quit(activity)
    this.#handler.closed(this)
  }
}
