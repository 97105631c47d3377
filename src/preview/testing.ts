/** For tests: previews in front of servers of this process, without boxes. */
import type { ServerWebSocket } from 'bun'
import type { SignedIn } from './access.ts'
import type { PortBox } from './ports.ts'
import { createPreviews, type Previews } from './previews.ts'
import type { Tunnel } from './tunnel.ts'

/** Browsers that a test signs in and out. */
export class FakeBrowsers implements SignedIn {
  readonly secrets = new Map<string, string>()
  readonly #told = new Set<(browser: string) => void>()

  secretOf(browser: string): string | undefined {
    return this.secrets.get(browser)
  }

  onRevoked(tell: (browser: string) => void): () => void {
    this.#told.add(tell)
    return () => this.#told.delete(tell)
  }

  revoke(browser: string): void {
    this.secrets.delete(browser)
    for (const tell of this.#told) tell(browser)
  }
}

export function fakeBox(name: string, created = 1): PortBox {
  return {
    name,
    running: true,
    manifest: { created, init: { pid: process.pid }, plan: { network: 'host' } },
    processes: { run: () => Promise.reject(new Error('no box')) },
  }
}

export interface Front extends Disposable {
  readonly port: number
  readonly browsers: FakeBrowsers
  readonly previews: Previews
  readonly boxes: PortBox[]
  /** Opens a preview as that browser and returns its host and cookie. */
  enter(browser: string, box: PortBox, port: number): Promise<{ host: string; cookie: string }>
  /** A request to a host, as a browser sends it. */
  ask(host: string, path: string, init?: RequestInit): Promise<Response>
}

/** A server with previews of all ports of this machine, as of its boxes. */
export function front(boxes: PortBox[]): Front {
  const browsers = new FakeBrowsers()
  browsers.secrets.set('one', 'secret of one').set('two', 'secret of two')
  const server = Bun.serve<Tunnel>({
    hostname: '127.0.0.1',
    port: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch(request, server) {
      const answer = previews.fetch(request, {
        upgrade: (tunnel, headers) => server.upgrade(request, { data: tunnel, headers }),
        wait: () => server.timeout(request, 0),
      })
      return (answer?.response ?? new Response('the page of coop')) as Promise<Response>
    },
    websocket: {
      open: (socket: ServerWebSocket<Tunnel>) => socket.data.open(socket),
      message: (socket, message) => socket.data.message(message),
      drain: (socket) => socket.data.drain(),
      close: (socket, code, reason) => socket.data.closed(code, reason),
    },
  })
  const port = server.port ?? 0
  const previews = createPreviews({
    site: { hostname: '127.0.0.1', port, tls: undefined },
    browsers,
    boxes: () => boxes,
    portsOf: () => ({ prove: async () => ({ address: '127.0.0.1', still: () => true }) }),
  })
  const ask = (host: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('host', host)
    const own = Number(/:(\d+)$/.exec(host)?.[1] ?? port)
    return fetch(`http://127.0.0.1:${own}${path}`, { redirect: 'manual', ...init, headers })
  }
  return {
    port,
    browsers,
    previews,
    boxes,
    ask,
    async enter(browser, box, target) {
      const url = new URL(previews.open(browser, `localhost:${port}`, { box, port: target, plain: false }))
      const answer = await ask(url.host, url.pathname + url.search)
      const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
      return { host: url.host, cookie }
    },
    [Symbol.dispose]() {
      previews.stop()
      void server.stop(true)
    },
  }
}
