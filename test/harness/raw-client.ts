/** A client of the daemon that speaks frames itself, for tests that the command line cannot do. */
import { join } from 'node:path'
import {
  decodeOutput,
  encodeInput,
  encodeJson,
  FRAME_JSON,
  FRAME_OUTPUT,
  FRAME_SCREEN,
  FrameDecoder,
  takeChannel,
} from '../../src/protocol/frames.ts'
import { parseServerMessage, type ServerMessage } from '../../src/protocol/server-messages.ts'
import type { Scratch } from './sandbox.ts'
import { waitUntil } from './wait.ts'

export class RawClient implements Disposable {
  readonly messages: ServerMessage[] = []
  /** Output of terminals, by channel. */
  readonly shown = new Map<number, string>()
  readonly #protocol: number
  readonly #decoder = new FrameDecoder()
  #socket: Bun.Socket | undefined
  #id = 0

  private constructor(protocol: number) {
    this.#protocol = protocol
  }

  static async connect(t: Scratch, protocol: number): Promise<RawClient> {
    const client = new RawClient(protocol)
    client.#socket = await Bun.connect({
      unix: join(t.runtimeDir, 'daemon.sock'),
      socket: { data: (_, bytes) => client.#data(bytes) },
    })
    client.send({ type: 'hello', protocol, version: '0.1.0', ...(protocol > 3 ? { client: 4711 } : {}) })
    await client.message((message) => message.type === 'hello', 'a greeting')
    return client
  }

  send(message: object): void {
    this.#write(encodeJson(message))
  }

  input(channel: number, text: string): void {
    this.#write(encodeInput(this.#protocol > 3 ? channel : undefined, Buffer.from(text)))
  }

  /** Resolves with the call's result; rejects with its error's message. */
  async call(call: object, channel = 0): Promise<unknown> {
    const id = ++this.#id
    this.send({ type: 'call', id, ...(channel ? { channel } : {}), call })
    const answer = await this.message((one) => 'id' in one && one.id === id, 'an answer')
    if (answer.type === 'error') throw new Error(answer.error.message)
    return answer.type === 'result' ? answer.value : undefined
  }

  async message(isWanted: (message: ServerMessage) => boolean, what: string): Promise<ServerMessage> {
    await waitUntil(() => this.messages.some(isWanted), what)
    const found = this.messages.find(isWanted)
    if (!found) throw new Error(`there is no ${what}`)
    return found
  }

  async shows(channel: number, text: string): Promise<void> {
    await waitUntil(() => this.shown.get(channel)?.includes(text) === true, `${text} on channel ${channel}`)
  }

  #write(bytes: Uint8Array): void {
    this.#socket?.write(bytes)
  }

  #data(bytes: Uint8Array): void {
    for (const { type, payload } of this.#decoder.push(bytes)) {
      if (type === FRAME_JSON) {
        const message = parseServerMessage(payload)
        if (message) this.messages.push(message)
      } else if (type === FRAME_OUTPUT || type === FRAME_SCREEN) {
        const { channel, rest } = this.#protocol > 3 ? takeChannel(payload) : { channel: 0, rest: payload }
        const text = Buffer.from(decodeOutput(rest).bytes).toString()
        this.shown.set(channel, (this.shown.get(channel) ?? '') + text)
      }
    }
  }

  [Symbol.dispose](): void {
    this.#socket?.end()
  }
}
