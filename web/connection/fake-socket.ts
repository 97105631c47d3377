/** The other end of a connection, for tests: a daemon that does what the test says. */
import {
  decodeOutput,
  encodeJson,
  encodeOutput,
  encodePicture,
  encodeScreen,
  encodeTaken,
  FRAME_INPUT,
  FRAME_JSON,
  FRAME_SHOWN,
  FrameDecoder,
  takeChannel,
} from '../../src/protocol/frames.ts'
import { PROTOCOL } from '../../src/protocol/server-messages.ts'
import { Connection, type Socket } from './connection.ts'

export interface Asked {
  readonly id: number
  readonly channel: number
  readonly call: Readonly<Record<string, unknown>>
}

export class FakeSocket implements Socket {
  binaryType = ''
  bufferedAmount = 0
  onopen: Socket['onopen'] = null
  onclose: Socket['onclose'] = null
  onmessage: Socket['onmessage'] = null
  isClosed = false
  readonly calls: Asked[] = []
  readonly messages: Readonly<Record<string, unknown>>[] = []
  /** Input by channel. */
  readonly typed = new Map<number, string>()
  /** Bytes of frames that were shown, by channel. */
  readonly shown = new Map<number, number>()
  readonly #decoder = new FrameDecoder()

  send(bytes: Uint8Array): void {
    for (const { type, payload } of this.#decoder.push(bytes)) {
      if (type === FRAME_JSON) {
        const message = JSON.parse(new TextDecoder().decode(payload))
        this.messages.push(message)
        if (message.type === 'call') this.calls.push({ channel: 0, ...message })
      } else if (type === FRAME_SHOWN) {
        const { channel, rest } = takeChannel(payload)
        this.shown.set(channel, decodeOutput(rest).offset)
      } else if (type === FRAME_INPUT) {
        const { channel, rest } = takeChannel(payload)
        this.typed.set(channel, (this.typed.get(channel) ?? '') + new TextDecoder().decode(rest))
      }
    }
  }

  close(): void {
    this.isClosed = true
  }

  /** Opens and greets. */
  greet(protocol = PROTOCOL): void {
    this.onopen?.()
    this.tell({ type: 'hello', protocol, version: '1.0.0', pid: 1 })
  }

  receive(bytes: Uint8Array): void {
    const copy = new Uint8Array(bytes)
    this.onmessage?.({ data: copy.buffer })
  }

  tell(message: object): void {
    this.receive(encodeJson(message))
  }

  output(channel: number, offset: number, text: string): void {
    this.receive(encodeOutput(channel, offset, new TextEncoder().encode(text)))
  }

  screen(channel: number, offset: number, text: string): void {
    this.receive(encodeScreen(channel, offset, new TextEncoder().encode(text)))
  }

  picture(channel: number, offset: number, text: string): void {
    this.receive(encodePicture(channel, offset, new TextEncoder().encode(text)))
  }

  taken(channel: number, count: number): void {
    this.receive(encodeTaken(channel, count))
  }

  /** The last call of that name. */
  asked(name: string): Asked {
    const found = this.calls.findLast(({ call }) => call.do === name)
    if (!found) throw new Error(`${name} was not called`)
    return found
  }

  async answer(name: string, value: unknown): Promise<void> {
    this.tell({ type: 'result', id: this.asked(name).id, value })
    await settled()
  }

  async refuse(name: string, code: string, message: string): Promise<void> {
    this.tell({ type: 'error', id: this.asked(name).id, error: { code, message } })
    await settled()
  }

  drop(code = 1006): void {
    this.onclose?.({ code })
  }
}

/** Lets promises that are settled by now call back. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

/** A connection whose sockets the test holds. */
export class FakeDaemon {
  readonly sockets: FakeSocket[] = []
  isSignedIn: boolean | undefined = true
  readonly connection = new Connection({
    connect: () => {
      const socket = new FakeSocket()
      this.sockets.push(socket)
      return socket
    },
    isSignedIn: async () => this.isSignedIn,
    client: 7,
    version: 'test',
    random: () => 0.5,
  })

  get socket(): FakeSocket {
    const last = this.sockets.at(-1)
    if (!last) throw new Error('nothing has connected')
    return last
  }
}
