/**
 * Previews on ports of their own, for browsers to which names below `localhost` mean another machine: a server on the
 * same address as the page, for one port of one box.
 */
import type { Server } from 'bun'
import { CoopError } from '../core/errors.ts'
import { hostWithPort } from './hosts.ts'
import type { PortBox } from './ports.ts'
import type { Gate, Site } from './previews.ts'
import type { Tunnel } from './tunnel.ts'

const MAX_SERVERS = 32 // then the one that was used least lately ends
const IDLE_S = 120 // of a WebSocket whose browser has gone; pings go out before

interface Target {
  readonly box: PortBox
  readonly port: number
}

type Answer = (
  request: Request,
  gate: Gate,
  target: Target,
  host: string,
  ownPort: number,
) => Promise<Response | undefined>

interface Running {
  readonly server: Server<Tunnel>
  readonly names: Set<string>
}

export class OwnPorts {
  readonly #site: Site
  readonly #answer: Answer
  readonly #running = new Map<string, Running>()

  constructor(site: Site, answer: Answer) {
    this.#site = site
    this.#answer = answer
  }

  /** The port of this machine for a box's port; opened when it is not yet. `name`: the host that the browser uses. */
  portOf(box: PortBox, port: number, name: string): number {
    const key = `${box.name}\n${box.manifest.created}\n${port}`
    const running = this.#running.get(key) ?? this.#start({ box, port })
    running.names.add(name)
    this.#running.delete(key) // the last one in the map was used last
    this.#running.set(key, running)
    for (const [other, { server }] of this.#running) {
      if (this.#running.size <= MAX_SERVERS) break
      void server.stop(true)
      this.#running.delete(other)
    }
    return running.server.port ?? 0
  }

  #start(target: Target): Running {
    const names = new Set<string>()
    const isTls = this.#site.tls !== undefined
    try {
      const server = Bun.serve<Tunnel>({
        hostname: this.#site.hostname === 'localhost' ? '127.0.0.1' : this.#site.hostname,
        port: 0,
        ...(this.#site.tls ? { tls: this.#site.tls } : {}),
        maxRequestBodySize: Number.MAX_SAFE_INTEGER, // an upload streams to the box
        fetch: (request, server) => {
          const host = request.headers.get('host') ?? ''
          const ownPort = server.port ?? 0
          // Exactly the name under which the page was open: any other may be an attacker's (DNS rebinding).
          if (![...names].some((name) => hostWithPort(name, ownPort, isTls) === host))
            return new Response('this name is none of this server\n', { status: 421 })
          const gate = gateOf(request, server)
          return this.#answer(request, gate, target, host, ownPort) as Promise<Response>
        },
        error: () => new Response('the daemon failed\n', { status: 500 }),
        websocket: {
          idleTimeout: IDLE_S,
          sendPings: true,
          open: (socket) => socket.data.open(socket),
          message: (socket, message) => socket.data.message(message),
          drain: (socket) => socket.data.drain(),
          close: (socket, code, reason) => socket.data.closed(code, reason),
        },
      })
      return { server, names }
    } catch (error) {
      throw new CoopError('E_FAILED', `coop cannot listen on ${this.#site.hostname} for a preview`, {
        hint: 'coop serve --host with an address of this machine',
        cause: error,
      })
    }
  }

  stop(): void {
    for (const { server } of this.#running.values()) void server.stop(true)
    this.#running.clear()
  }
}

const gateOf = (request: Request, server: Server<Tunnel>): Gate => ({
  upgrade: (tunnel, headers) => server.upgrade(request, { data: tunnel, headers }),
  wait: () => server.timeout(request, 0),
})
