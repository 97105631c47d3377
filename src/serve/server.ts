/** The HTTP server of the page. It looks at who asks, and hands WebSockets to the session (src/session). */
import { networkInterfaces, hostname as ownHostname } from 'node:os'
import type { Server, ServerWebSocket } from 'bun'
import { CoopError } from '../core/errors.ts'
import { VERSION } from '../core/version.ts'
import type { Log } from '../engine/log.ts'
import type { Environment } from '../protocol/shapes/values.ts'
import { Client, type Handler } from '../session/client.ts'
import { callOfBrowser } from './allowed.ts'
import { loadAssets } from './assets.ts'
import type { Browsers } from './browsers.ts'
import { plainHeaders, refusal } from './headers.ts'
import { isOwnHost, isOwnOrigin, namesOf, type Site, shownHosts, urlOf } from './hosts.ts'
import { listenAt } from './listen.ts'
import { Lockout } from './lockout.ts'
import { isOtherUser } from './peer.ts'
import { openPreview, type PreviewSource, previewsFor, serverGate } from './previews.ts'
import type { BrowserRecord } from './record.ts'
import { browserOf, type Door, signIn, signOut } from './sign-in.ts'
import { configuredTheme } from './theme.ts'
import { Turns } from './turns.ts'
import { type StoreFile, Uploads } from './uploads.ts'
import { CLOSE, MAX_MESSAGE, MAX_QUEUED, type SocketData, WebTransport } from './web-transport.ts'

const IDLE_S = 120 // without a byte of a browser; pings go out before, so this is a browser that has gone
const MAX_SOCKETS = 256
const MAX_SOCKETS_OF_ONE = 32 // pages of one browser

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly readonly: boolean
  readonly token: string
  readonly environment: Environment
}

/** What the server needs of the daemon. */
export interface House {
  readonly browsers: Browsers
  readonly log: Log
  readonly dataDir: string
  readonly configDir: string
  readonly store: StoreFile
  /** Answers calls; the server lets through what browsers may ask for. */
  readonly handler: Handler
  /** Called with every browser that signs in. */
  signedIn(browser: BrowserRecord): void
  /** Called with every session that begins. */
  began(client: Client): void
  readonly ports: PreviewSource
}

export interface WebServer {
  readonly urls: readonly string[]
  /** How many pages of a browser are open. */
  openPages(browser: string): number
  /** Ends serving. `why` is told to the pages. */
  stop(why: 'retire' | 'stopped'): void
}

/** Raises E_FAILED when the address cannot be had. */
export async function startServer(options: ServerOptions, house: House): Promise<WebServer> {
  const { browsers } = house
  const assets = await loadAssets()
  const uploads = new Uploads(house.store)
  const lockout = new Lockout()
  const sockets = new Set<ServerWebSocket<SocketData>>()
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const site: Site = {
    tls: options.tls !== undefined,
    port: options.port,
    names: namesOf(options.host, ownHostname(), addresses),
  }
  const door: Door = {
    site,
    token: options.token,
    readonly: options.readonly,
    browsers,
    lockout,
    signedIn: house.signedIn,
  }

  const previews = previewsFor(options, browsers, house.ports)

  const openPages = (browser: string): number =>
    [...sockets].filter(({ data }) => data.browser === browser).length

  const session = (request: Request, browser: BrowserRecord, address: string): Response => {
    browsers.visited(browser.id, address)
    const { id, name } = browser
    const about = {
      version: VERSION,
      pid: process.pid,
      readonly: isReadonly(browser),
      browser: { id, name },
      theme: configuredTheme(house.configDir),
    }
    const headers = plainHeaders()
    return request.method === 'HEAD' ? new Response(null, { headers }) : Response.json(about, { headers })
  }

  const isReadonly = (browser: BrowserRecord): boolean => options.readonly || browser.readonly

  const upgrade = (request: Request, server: Server<SocketData>, address: string): Response | undefined => {
    if (!isOwnOrigin(site, request.headers)) return refusal(403, 'this page may not connect')
    const [protocol, key, ...more] = (request.headers.get('sec-websocket-protocol') ?? '')
      .split(',')
      .map((one) => one.trim())
    if (protocol !== 'coop' || more.length) return refusal(400, 'the protocol is coop')
    const browser = browserOf(door, request.headers, key)
    if (!browser) return refusal(401, 'this browser is not signed in')
    if (sockets.size >= MAX_SOCKETS || openPages(browser.id) >= MAX_SOCKETS_OF_ONE)
      return refusal(503, 'too many pages are open', { hint: 'close some' })
    browsers.visited(browser.id, address)
    const { id, name } = browser
    const host = request.headers.get('host') ?? ''
    const data: SocketData = { transport: undefined, browser: id, name, readonly: isReadonly(browser), host }
    const headers = { 'sec-websocket-protocol': 'coop' }
    return server.upgrade(request, { data, headers }) ? undefined : refusal(400, 'this is no WebSocket')
  }

  const api = (
    request: Request,
    path: string,
    server: Server<SocketData>,
    address: string,
  ): Response | Promise<Response> | undefined => {
    if (path === '/api/socket') return upgrade(request, server, address)
    if (path === '/api/sign-in' && request.method === 'POST') {
      if (!isOwnOrigin(site, request.headers)) return refusal(403, 'this page may not sign in')
      return signIn(door, request, address)
    }
    const browser = browserOf(door, request.headers, request.headers.get('x-coop-key'))
    if (!browser) return refusal(401, 'this browser is not signed in')
    if (path === '/api/session' && isReading(request)) return session(request, browser, address)
    if (!isOwnOrigin(site, request.headers)) return refusal(403, 'this page may not do that')
    if (path === '/api/upload' && request.method === 'POST')
      return isReadonly(browser)
        ? refusal(403, 'this browser may only look')
        : uploads.answer(request, () => browsers.has(browser.id))
    if (path === '/api/sign-out' && request.method === 'POST') return signOut(door, browser)
    return refusal(404, 'there is nothing here')
  }

  const handler: Handler = {
    ...house.handler,
    retire: () => {}, // only a newer coop on this machine may ask for that
    isOutdoneBy: () => false,
    call: async (channel, call) => {
      const visitor = visitors.get(channel.client)
      if (!visitor) throw new CoopError('E_INTERNAL', 'an unknown browser')
      const { name, readonly } = visitor
      const allowed = callOfBrowser(call, { name, readonly, environment: options.environment })
      const turn = turns.enter(visitor.browser)
      if (turn === false) {
        channel.hangUp()
        throw new CoopError('E_USAGE', 'this browser asks for too much at a time')
      }
      if (turn) await turn
      try {
        if (visitor.transport?.isGone) throw new CoopError('E_USAGE', 'this browser has gone')
        if (allowed.do === 'preview.open') return openPreview(previews, house.ports, visitor, allowed)
        const answer = await house.handler.call(channel, allowed)
        // Only now: a folder that is refused, such as the whole home, is not offered again.
        if (allowed.do === 'box.create') browsers.choseFolder(allowed.box.workspace)
        return answer
      } finally {
        turns.leave(visitor.browser)
      }
    },
  }
  const visitors = new WeakMap<Client, SocketData>()
  const ownUid = process.getuid?.() ?? 0
  const turns = new Turns()

  const servers = listenAt(options.host, options.port, (hostname) =>
    Bun.serve<SocketData>({
      hostname,
      port: options.port,
      ...(options.tls ? { tls: options.tls } : {}),
      maxRequestBodySize: Number.MAX_SAFE_INTEGER, // an upload to a preview streams
      async fetch(request, server) {
        const peer = server.requestIP(request)
        const address = peer?.address ?? ''
        if (peer && !options.tls && isOtherUser(peer, { address: hostname, port: options.port }, ownUid))
          return refusal(403, 'this page is for the user who serves it alone', {
            hint: 'for others: coop serve --tls',
          })
        const preview = previews.fetch(request, serverGate(request, server))
        if (preview) return await preview.response
        if (!isOwnHost(site, request.headers.get('host')))
          return refusal(421, 'this name is none of this server', {
            hint: 'use the address that coop serve prints',
          })
        const path = new URL(request.url).pathname // with a host of ours it is an address
        if (path.startsWith('/api/')) return await api(request, path, server, address)
        const found = isReading(request) ? assets(request, path) : undefined
        return found ?? refusal(404, 'there is nothing here')
      },
      error(error) {
        house.log('serve-failed', { error: String(error.stack ?? error) })
        return refusal(500, 'the daemon failed', { hint: 'coop system logs -n 20' })
      },
      websocket: {
        maxPayloadLength: MAX_MESSAGE,
        backpressureLimit: MAX_QUEUED,
        idleTimeout: IDLE_S,
        sendPings: true,
        open(socket) {
          if (socket.data.tunnel) return socket.data.tunnel.open(socket)
          const transport = new WebTransport(socket)
          socket.data.transport = transport
          sockets.add(socket)
          const client = new Client(transport, handler, house.dataDir)
          visitors.set(client, socket.data)
          transport.serve(client)
          house.began(client)
          if (!browsers.has(socket.data.browser)) transport.end(CLOSE.signedOut, 'signed out') // in between
        },
        message(socket, message) {
          if (socket.data.tunnel) return socket.data.tunnel.message(message)
          if (typeof message === 'string') return socket.data.transport?.close()
          socket.data.transport?.data(message)
        },
        drain: ({ data }) => (data.tunnel ?? data.transport)?.drain(),
        close(socket, code, reason) {
          if (socket.data.tunnel) return socket.data.tunnel.closed(code, reason)
          sockets.delete(socket)
          socket.data.transport?.gone()
        },
      },
    }),
  )

  const forget = browsers.onRevoked(({ id }) => {
    for (const socket of [...sockets])
      if (socket.data.browser === id) socket.data.transport?.end(CLOSE.signedOut, 'signed out')
  })
  return {
    urls: shownHosts(options.host, addresses).map((host) => urlOf(site, host)),
    openPages,
    stop(why) {
      forget()
      previews.stop()
      for (const socket of [...sockets]) socket.data.transport?.end(CLOSE.ends, why)
      for (const server of servers) void server.stop(true)
    },
  }
}

const isReading = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD'
