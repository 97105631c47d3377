/** One client on the unix socket: frames in, frames out, and at most one running command or attached PTY. */
import type { Socket } from 'bun'
import { errorToJson } from '../errors.ts'
import { encodeJson, FRAME_INPUT, FRAME_JSON, type Frame, FrameDecoder } from '../protocol/frames.ts'
import { type Call, PROTOCOL, parseClientMessage, type ServerMessage } from '../protocol/messages.ts'
import type { Feed, Outlet } from './feed.ts'

/** What a connection does on behalf of its client until it ends. */
export interface Activity {
  readonly feed?: Feed
  signal?(signal: number): void
  /** The client is gone. */
  abandon(): void
}

export interface Handler {
  call(connection: Connection, call: Call): Promise<unknown>
  closed(connection: Connection): void
}

const MAX_QUEUED = 64 << 20 // bytes; control replies only, terminal output stops far below

export class Connection implements Outlet {
  activity: Activity | undefined
  readonly #socket: Socket<Connection | undefined>
  readonly #handler: Handler
  readonly #version: string
  readonly #decoder = new FrameDecoder()
  #queue: Uint8Array[] = []
  #queued = 0
  #greeted = false
  #ending = false

  constructor(socket: Socket<Connection | undefined>, handler: Handler, version: string) {
    this.#socket = socket
    this.#handler = handler
    this.#version = version
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
    if (type === FRAME_INPUT) {
      const feed = this.activity?.feed
      if (feed && !feed.readonly) feed.pty.write(payload)
      return
    }
    const message = type === FRAME_JSON ? parseClientMessage(payload) : undefined
    if (!message) return this.close()
    if (!this.#greeted) {
      if (message.type !== 'hello') return this.close()
      this.#greeted = true
      this.tell({ type: 'hello', protocol: PROTOCOL, version: this.#version, pid: process.pid })
    } else if (message.type === 'call') void this.#call(message.id, message.call)
    else if (message.type === 'resize') this.activity?.feed?.resize(message.size)
    else if (message.type === 'signal') this.activity?.signal?.(message.signal)
  }

  async #call(id: number, call: Call): Promise<void> {
    try {
      this.tell({ type: 'result', id, value: (await this.#handler.call(this, call)) ?? null })
    } catch (error) {
      this.tell({ type: 'error', id, error: errorToJson(error) })
    }
  }

  tell(message: ServerMessage): void {
    this.send(encodeJson(message))
  }

  notice(text: string): void {
    this.tell({ type: 'notice', text })
  }

  send(frame: Uint8Array): void {
    if (this.#ending) return
    this.#queue.push(frame)
    this.#queued += frame.length
    if (this.#queued > MAX_QUEUED) return this.close()
    if (this.#queue.length === 1) this.drain()
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
    const { activity } = this
    this.activity = undefined
    activity?.feed?.close()
    activity?.abandon()
    this.#handler.closed(this)
  }
}
