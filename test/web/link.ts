/**
 * A link between a browser and the server that can be slow, silent or cut. It listens on a port of its own;
 * `Chromium.start(link.rule)` leads a browser's connections to `localhost:PORT` of the server through it.
 */
import { createServer, type Server, Socket } from 'node:net'
import { freePort } from '../harness/web.ts'

const TICK_MS = 10 // between two pieces on a slow link

type State = 'up' | 'silent' | 'cut'

export class Link implements AsyncDisposable {
  /** The server's port. */
  readonly port = freePort()
  /** Bytes that arrived at the browser. */
  received = 0
  readonly #server: Server
  readonly #open = new Set<Socket>()
  readonly #flows = new Set<Flow>()
  #rate = Number.POSITIVE_INFINITY
  #state: State = 'up'

  private constructor() {
    this.#server = createServer((browser) => this.#connect(browser))
  }

  static async open(): Promise<Link> {
    const link = new Link()
    const listening = Promise.withResolvers<void>()
    link.#server.listen(0, '127.0.0.1', () => listening.resolve())
    await listening.promise
    return link
  }

  /** For `--host-resolver-rules`. */
  get rule(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the link is closed')
    return `MAP localhost:${this.port} 127.0.0.1:${address.port}`
  }

  get origin(): string {
    return `http://localhost:${this.port}`
  }

  /** Bytes per second in each direction, of all connections together in turn. */
  set rate(rate: number) {
    this.#rate = rate
  }

  get rate(): number {
    return this.#rate
  }

  /** Like a pulled cable: nothing arrives, nothing is said. Connections that were made before stay silent for good. */
  silence(): void {
    this.#state = 'silent'
  }

  /** Like a server that is away: connections break, and new ones are refused. */
  cut(): void {
    this.#state = 'cut'
    for (const socket of this.#open) socket.destroy()
  }

  mend(): void {
    this.#state = 'up'
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  #connect(browser: Socket): void {
    if (this.#state === 'cut') return void browser.destroy()
    const server = new Socket()
    for (const socket of [browser, server]) {
      this.#open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#open.delete(socket)
        browser.destroy()
        server.destroy()
      })
    }
    server.connect(this.port, '127.0.0.1')
    const count = (bytes: number): void => {
      this.received += bytes
    }
    for (const flow of [new Flow(this, browser, server, () => {}), new Flow(this, server, browser, count)]) {
      this.#flows.add(flow)
      flow.to.on('close', () => {
        flow.stop()
        this.#flows.delete(flow)
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    for (const flow of this.#flows) flow.stop()
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    await closed.promise
  }
}

/** One direction of a connection. What arrives waits here, as in the buffer of a router. */
class Flow {
  readonly to: Socket
  readonly #link: Link
  readonly #from: Socket
  readonly #passed: (bytes: number) => void
  #waiting: Buffer[] = []
  #timer: Timer | undefined
  #allowance = 0
  #filledAt = performance.now()
  #isLost = false

  constructor(link: Link, from: Socket, to: Socket, passed: (bytes: number) => void) {
    this.#link = link
    this.#from = from
    this.to = to
    this.#passed = passed
    from.on('data', (bytes: Buffer) => {
      this.#waiting.push(bytes)
      from.pause()
      this.#pass()
    })
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#waiting = []
  }

  #pass(): void {
    clearTimeout(this.#timer)
    // A connection that missed bytes is of no use any more, as one whose other side has moved.
    this.#isLost ||= !this.#link.isUp
    if (this.#isLost) this.#waiting = []
    const now = performance.now()
    const { rate } = this.#link
    this.#allowance = Math.min(
      (rate * 5 * TICK_MS) / 1000,
      this.#allowance + (rate * (now - this.#filledAt)) / 1000,
    )
    this.#filledAt = now
    for (let first = this.#waiting.shift(); first; first = this.#waiting.shift()) {
      const now = first.subarray(0, Math.min(first.length, Math.floor(this.#allowance)))
      if (now.length) {
        this.#allowance -= now.length
        this.to.write(now)
        this.#passed(now.length)
      }
      if (now.length === first.length) continue
      this.#waiting.unshift(first.subarray(now.length))
      this.#timer = setTimeout(() => this.#pass(), TICK_MS)
      return
    }
    this.#from.resume()
  }
}
