/** A model's provider on loopback that does what a test wants, and remembers what it was sent, byte by byte. */
import { connect, createServer, type Socket } from 'node:net'

export interface Sent {
  readonly head: string
  readonly body: string
}

/** What it answers: raw bytes, or a function that writes them. It gets each request whole, unless it is `early`. */
export type Answer = (request: Sent, socket: Socket) => void

export interface Provider extends AsyncDisposable {
  readonly url: string
  readonly requests: Sent[]
  /** Connections that were made, and those that are open. */
  readonly connections: { made: number; open: number }
}

const END = '\r\n\r\n'

export async function startProvider(answer: Answer): Promise<Provider> {
  const requests: Sent[] = []
  const connections = { made: 0, open: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    connections.made++
    connections.open++
    sockets.add(socket)
    let received: Buffer = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('close', () => {
      connections.open--
      sockets.delete(socket)
    })
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      for (;;) {
        const end = received.indexOf(END)
        if (end < 0) return
        const head = received.toString('latin1', 0, end)
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        const isChunked = /transfer-encoding: chunked/i.test(head)
        const rest = received.subarray(end + END.length)
        const size = isChunked ? rest.indexOf('0\r\n\r\n') + 5 : length
        if ((isChunked && size < 5) || rest.length < size) return
        const request = { head, body: rest.toString('latin1', 0, size) }
        received = rest.subarray(size)
        requests.push(request)
        answer(request, socket)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function json(value: unknown, status = '200 OK', headers: readonly string[] = []): string {
  const body = JSON.stringify(value)
  const lines = ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`, ...headers]
  return `HTTP/1.1 ${status}\r\n${lines.join('\r\n')}${END}${body}`
}

/** An answer of Anthropic's, whose model costs 3 dollars for a million tokens in, and 15 out. */
export const message = (input: number, output: number): object => ({
  type: 'message',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'hello' }],
  usage: { input_tokens: input, output_tokens: output },
})

/** Sends bytes as they are; resolves with all that came back when the other side hangs up, or `enough` is in it. */
export function raw(port: number, text: string | Uint8Array, enough?: RegExp): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({ port, host: '127.0.0.1' }, () => void socket.write(text))
  let received = ''
  const done = (): void => {
    socket.destroy()
    resolve(received)
  }
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
    if (enough?.test(received)) done()
  })
  socket.on('error', done)
  socket.on('close', done)
  return promise
}
