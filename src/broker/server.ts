/** Listens for boxes: one connection may have many requests, one after the other. */
import { createServer, type Server, type Socket } from 'node:net'
import { errnoOf } from '../core/errno.ts'
import { type Admitted, admit, type GrantedBox, refusal } from './admit.ts'
import { Exchange, type Over } from './exchange.ts'
import { NoKey } from './keys.ts'
import { type Links, NoLink } from './links.ts'
import { BadRequest, MAX_HEAD, readRequestHead } from './request-head.ts'

export interface Limits {
  /** For a whole head. */
  readonly headMs: number
  /** Between requests. */
  readonly idleMs: number
  readonly connections: number
  /** Requests of one box. */
  readonly atOnce: number
}

const LIMITS: Limits = { headMs: 15_000, idleMs: 75_000, connections: 1024, atOnce: 64 }
const LINGER_MS = 2_000 // for a box to read why its request was refused

export interface ServerHouse {
  readonly links: Links
  boxes(): readonly GrantedBox[]
  /** Throws BadRequest if the box may not ask now. */
  mayAsk(to: Admitted): void
  /** Rejects with NoKey. */
  key(to: Admitted): Promise<string>
  over(to: Admitted, how: Over): void
  log(event: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Listens on 127.0.0.1. `port` 0: any. Rejects with what node:net raises. */
export function listen(port: number, house: ServerHouse, limits = LIMITS): Promise<BrokerServer> {
  const { promise, resolve, reject } = Promise.withResolvers<BrokerServer>()
  const server = createServer({ noDelay: true, allowHalfOpen: false })
  server.maxConnections = limits.connections
  server.once('error', reject)
  // No SO_REUSEPORT: programs of a box have the user's own id and share the network, and could then listen here, too.
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
    server.off('error', reject)
    server.on('error', (error) => house.log('broker-listener', { error: errnoOf(error) ?? String(error) }))
    resolve(new BrokerServer(server, house, limits))
  })
  return promise
}

export class BrokerServer {
  readonly #server: Server
  readonly port: number
  readonly #busy = new Map<string, number>()

  constructor(server: Server, house: ServerHouse, limits: Limits) {
    this.#server = server
    const address = server.address()
    this.port = typeof address === 'object' && address ? address.port : 0
    server.on('connection', (socket) => new Connection(socket, this.port, house, this.#busy, limits))
  }

  close(): void {
    this.#server.close()
  }
}

class Connection {
  readonly #socket: Socket
  readonly #port: number
  readonly #house: ServerHouse
  /** Requests under way, by box. */
  readonly #busy: Map<string, number>
  readonly #limits: Limits
  #received: Buffer = Buffer.alloc(0)
  #exchange: Exchange | undefined
  #timer: Timer | undefined
  #isOver = false

  constructor(socket: Socket, port: number, house: ServerHouse, busy: Map<string, number>, limits: Limits) {
    this.#limits = limits
    this.#socket = socket
    this.#port = port
    this.#house = house
    this.#busy = busy
    socket.on('data', (bytes: Buffer) => this.#data(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#isOver = true
      clearTimeout(this.#timer)
      this.#exchange?.abort()
    })
    this.#wait(this.#limits.headMs)
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#socket.destroy(), ms)
    this.#timer.unref()
  }

  #data(bytes: Buffer): void {
    if (this.#isOver) return
    try {
      let rest = bytes
      if (this.#exchange) {
        rest = bytes.subarray(this.#exchange.push(bytes))
        if (this.#exchange.hasBody) this.#socket.pause() // what follows is the next request's
      }
      if (rest.length) {
        if (!this.#received.length && !this.#exchange) this.#wait(this.#limits.headMs)
        this.#received = this.#received.length ? Buffer.concat([this.#received, rest]) : Buffer.from(rest)
        if (this.#exchange && this.#received.length > 2 * MAX_HEAD)
          throw new BadRequest(400, 'too many requests')
      }
      if (!this.#exchange) this.#next()
    } catch (error) {
      this.#refuse(error)
    }
  }

  #next(): void {
    const head = readRequestHead(this.#received, this.#port)
    if (!head) return
    clearTimeout(this.#timer)
    const to = admit(head, this.#house.boxes())
    this.#house.mayAsk(to)
    const { name } = to.box
    const busy = this.#busy.get(name) ?? 0
    if (busy >= this.#limits.atOnce) throw new BadRequest(429, `this box has ${busy} requests under way`)
    const rest = this.#received.subarray(head.size)
    this.#received = Buffer.alloc(0)
    this.#busy.set(name, busy + 1)
    const exchange = new Exchange(this.#socket, head, to, {
      links: this.#house.links,
      key: () => this.#house.key(to),
      over: (how) => {
        const left = (this.#busy.get(name) ?? 1) - 1
        if (left) this.#busy.set(name, left)
        else this.#busy.delete(name)
        this.#house.over(to, how)
        this.#ended(exchange, how)
      },
    })
    this.#exchange = exchange
    void exchange.start().then(
      () => {
        if (this.#exchange === exchange && rest.length) this.#data(rest)
      },
      (error) => this.#refuse(error),
    )
  }

  #ended(exchange: Exchange, { isReusable }: Over): void {
    if (this.#exchange !== exchange) return
    if (exchange.failure !== undefined && !exchange.hasAnswered)
      return this.#refuse(new NoLink(exchange.failure))
    if (exchange.failure !== undefined) return void this.#socket.destroy() // the answer has begun
    this.#exchange = undefined
    if (this.#isOver) return
    if (!isReusable) return this.#linger()
    this.#wait(this.#limits.idleMs)
    this.#socket.resume()
    if (this.#received.length) this.#data(Buffer.alloc(0))
  }

  /** Ends the connection once everything was sent. What still comes is dropped: a reset would take the answer away. */
  #linger(): void {
    this.#isOver = true
    this.#socket.end()
    this.#socket.resume()
    this.#wait(LINGER_MS)
  }

  #refuse(error: unknown): void {
    if (this.#isOver) return
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.abort()
    if (exchange?.hasAnswered) return void this.#socket.destroy()
    const [status, sentence] = this.#explain(error)
    this.#socket.write(refusal(status, sentence))
    this.#linger()
  }

  #explain(error: unknown): readonly [status: number, sentence: string] {
    if (error instanceof BadRequest) return [error.status, error.message]
    if (error instanceof NoKey) return [503, error.message]
    if (error instanceof NoLink) return [502, `the provider could not be asked: ${error.message}`]
    this.#house.log('broker-failed', { error: error instanceof Error ? error.message : 'unknown' })
    return [502, 'the request failed']
  }
}
