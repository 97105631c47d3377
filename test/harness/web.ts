/**
 * `coop serve` and its browsers, without a browser: HTTP and WebSockets of a test that can also do what no browser
 * does.
 */
import { connect } from 'node:net'
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
import { PROTOCOL, parseServerMessage, type ServerMessage } from '../../src/protocol/server-messages.ts'
import type { Scratch } from './sandbox.ts'
import { waitUntil } from './wait.ts'

/** A port that nothing listened on a moment ago. */
export function freePort(): number {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
  const { port } = server
  server.stop(true)
  return port
}

/** A served page. */
export interface Served {
  readonly origin: string
  readonly port: number
  readonly token: string
  /** The address that a person opens. */
  readonly url: string
}

/** Serves in the background, on a port of its own. */
export async function serve(t: Scratch, ...flags: readonly string[]): Promise<Served> {
  const port = freePort()
  const { code, stdout, stderr } = await t.coop(['serve', '-d', '--port', String(port), ...flags])
  const [url, origin, token] = /(https?:\/\/[^/\s]+)\/#t=([\w-]+)/.exec(stdout) ?? []
  if (code !== 0 || !url || !origin || !token) throw new Error(`coop serve: ${code} ${stdout}${stderr}`)
  return { origin, port, token, url }
}

export interface Credentials {
  readonly cookie: string
  readonly key: string
  readonly id: string
}

export async function signIn({ origin, token }: Pick<Served, 'origin' | 'token'>): Promise<Credentials> {
  const answer = await fetch(`${origin}/api/sign-in`, {
    method: 'POST',
    headers: { origin, 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0' },
    body: JSON.stringify({ token }),
    tls: { rejectUnauthorized: false },
  })
  if (answer.status !== 200) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`)
  const { key, id } = (await answer.json()) as { key: string; id: string }
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  return { cookie, key, id }
}

/** The fields of a request of a signed-in page. */
export const fieldsOf = ({ cookie, key }: Credentials, origin: string): Record<string, string> => ({
  cookie,
  origin,
  'x-coop-key': key,
})

/** Sends bytes as they are and returns everything that comes back. */
export function rawRequest(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end of the answer: ${got}`)))
    socket.on('data', (bytes) => {
      got += bytes.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(got))
  })
}

/** The page of a browser, as the daemon sees it. */
export class WebPage implements Disposable {
  readonly messages: ServerMessage[] = []
  /** Output of terminals by channel, since the last whole screen. */
  readonly shown = new Map<number, string>()
  /** The next offset of each channel, and how much of its input the terminal has. */
  readonly next = new Map<number, number>()
  readonly taken = new Map<number, number>()
  closed: { readonly code: number; readonly reason: string } | undefined
  /** Whether it says what it has shown, as a page does. */
  acknowledges = true
  readonly #count = new Map<number, number>()
  readonly #decoder = new FrameDecoder()
  #socket: WebSocket | undefined
  #id = 0

  /** Rejects if the server does not accept it. */
  static async open(
    { origin }: Pick<Served, 'origin'>,
    { cookie, key }: Credentials,
    { client = 4711, headers = {} }: { client?: number; headers?: Record<string, string> } = {},
  ): Promise<WebPage> {
    const page = new WebPage()
    const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/api/socket`, {
      headers: { cookie, origin, ...headers },
      protocols: ['coop', key],
      tls: { rejectUnauthorized: false },
    } as unknown as string[])
    page.#socket = socket
    socket.binaryType = 'arraybuffer'
    const opened = Promise.withResolvers<void>()
    socket.onopen = () => opened.resolve()
    socket.onmessage = ({ data }) => page.#data(new Uint8Array(data as ArrayBuffer))
    socket.onclose = ({ code, reason }) => {
      page.closed = { code, reason }
      opened.reject(new Error(`closed with ${code} ${reason}`))
    }
    await opened.promise
    page.send({ type: 'hello', protocol: PROTOCOL, version: '0.1.0', client })
    await page.message((message) => message.type === 'hello', 'a greeting')
    return page
  }

  send(message: object): void {
    this.write(encodeJson(message))
  }

  /** Sends a message as it is. */
  write(bytes: Uint8Array | string): void {
    this.#socket?.send(bytes as Uint8Array<ArrayBuffer>)
  }

  input(channel: number, text: string): void {
    this.write(encodeInput(channel, Buffer.from(text)))
  }

  /** Resolves with the call's result; rejects with its error's message. */
  async call(call: object, channel = 0): Promise<unknown> {
    const id = ++this.#id
    this.send({ type: 'call', id, ...(channel ? { channel } : {}), call })
    const answer = await this.message((one) => 'id' in one && one.id === id, 'an answer')
    if (answer.type === 'error') throw new Error(answer.error.message)
    return answer.type === 'result' ? answer.value : undefined
  }

  /** Shows a terminal on a channel. */
  attach(box: string, channel: number, more: object = {}): Promise<unknown> {
    const size = { columns: 80, rows: 24 }
    return this.call({ do: 'attach', box, cwd: '/', pty: 0, readonly: false, size, ...more }, channel)
  }

  async message(isWanted: (message: ServerMessage) => boolean, what: string): Promise<ServerMessage> {
    await waitUntil(() => this.messages.some(isWanted) || this.closed !== undefined, what)
    const found = this.messages.find(isWanted)
    if (!found) throw new Error(`closed before ${what}: ${JSON.stringify(this.closed)}`)
    return found
  }

  async sees(channel: number, text: string | RegExp): Promise<string> {
    const now = (): string => this.shown.get(channel) ?? ''
    const isThere = (): boolean => (typeof text === 'string' ? now().includes(text) : text.test(now()))
    await waitUntil(isThere, () => `${text} in ${JSON.stringify(now().slice(-2000))}`)
    return now()
  }

  async isClosed(): Promise<{ readonly code: number; readonly reason: string }> {
    await waitUntil(() => this.closed !== undefined, 'the end of the connection')
    return this.closed ?? { code: 0, reason: '' }
  }

  [Symbol.dispose](): void {
    this.#socket?.close()
  }

  #data(bytes: Uint8Array): void {
    for (const frame of this.#decoder.push(bytes)) this.#frame(frame)
  }

  #frame({ type, payload }: Frame): void {
    if (type === FRAME_JSON) {
      const message = parseServerMessage(new Uint8Array(payload))
      if (message) this.messages.push(message)
      return
    }
    const { channel, rest } = takeChannel(payload)
    const { offset, bytes } = decodeOutput(rest)
    if (type === FRAME_TAKEN) {
      this.taken.set(channel, offset)
      return
    }
    const text = Buffer.from(bytes).toString('utf8')
    if (type === FRAME_OUTPUT) {
      this.shown.set(channel, (this.shown.get(channel) ?? '') + text)
      this.next.set(channel, offset + bytes.length)
    } else if (type === FRAME_SCREEN || type === FRAME_PICTURE) {
      this.shown.set(channel, type === FRAME_SCREEN ? text : (this.shown.get(channel) ?? '') + text)
      this.next.set(channel, offset)
    }
    this.#count.set(channel, (this.#count.get(channel) ?? 0) + 5 + payload.length)
    if (this.acknowledges) this.write(encodeShown(channel, this.#count.get(channel) ?? 0))
  }
}
