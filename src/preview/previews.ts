/**
 * Previews: a browser that is signed in sees the HTTP ports of a box. Each preview has a host of its own, or a port of
 * its own where host names below `localhost` lead elsewhere (a phone). Requests for it never reach coop's own API.
 */
import { CoopError } from '../core/errors.ts'
import { Access, type Place, type SignedIn } from './access.ts'
import { cookiePrefix } from './cookies.ts'
import type { Names } from './headers.ts'
import { boxOfLabel, hostWithPort, isLocalName, labelOf, readPreviewHost } from './hosts.ts'
import { OwnPorts } from './own-ports.ts'
import { closedPage, page } from './pages.ts'
import { Pool } from './pool.ts'
import type { PortBox, Prover } from './ports.ts'
import { forward, targetOf, tunnelTo } from './proxy.ts'
import { refusalOf } from './requests.ts'
import type { Tunnel } from './tunnel.ts'

const OPENING = '/.coop/open' // on a preview's host; nothing else of it is coop's
const COOKIE_S = 90 * 24 * 3600 // as long as a browser stays signed in without a visit (src/serve/browsers.ts)
const MAX_OPEN = 512 // requests and WebSockets at a time

/** How the page is served. */
export interface Site {
  readonly hostname: string
  readonly port: number
  readonly tls: { readonly cert: string; readonly key: string } | undefined
}

export interface PreviewOptions {
  readonly site: Site
  readonly browsers: SignedIn
  boxes(): readonly PortBox[]
  portsOf(box: PortBox): Prover
}

/** What a request needs of the server that it reached. */
export interface Gate {
  /** Turns the request into a WebSocket. */
  upgrade(tunnel: Tunnel, headers: Record<string, string>): boolean
  /** The request may take as long as it likes. */
  wait(): void
}

export interface Previews {
  /** Answers a request for a preview's host; undefined for any other. Undefined as a result: it became a WebSocket. */
  fetch(request: Request, gate: Gate): { readonly response: Promise<Response | undefined> } | undefined
  /** The address with which that browser opens the preview, once. `pageHost`: under which the browser has the page. */
  open(browser: string, pageHost: string, wanted: Wanted): string
  stop(): void
}

export interface Wanted {
  readonly box: PortBox
  readonly port: number
  /** The browser does not resolve names below `localhost`. */
  readonly plain: boolean
}

export function createPreviews({ site, browsers, boxes, portsOf }: PreviewOptions): Previews {
  const access = new Access(browsers)
  const pool = new Pool()
  const open = new Map<string, Set<() => void>>()
  const isTls = site.tls !== undefined
  const scheme = isTls ? 'https' : 'http'
  let count = 0

  /** Notes something that ends when the browser is signed out. Returns the function that notes its own end. */
  const began = (browser: string, end: () => void): (() => void) => {
    const mine = open.get(browser) ?? new Set()
    open.set(browser, mine.add(end))
    count++
    return () => {
      if (mine.delete(end)) count--
      if (!mine.size && open.get(browser) === mine) open.delete(browser)
    }
  }

  const answer = async (
    request: Request,
    gate: Gate,
    spot: Spot | undefined,
  ): Promise<Response | undefined> => {
    if (!spot) return closedPage(request)
    const { box, place, names, cookie } = spot
    const [path, query] = targetOf(request).split('?', 2)
    if (path === OPENING) return entered(request, spot, new URLSearchParams(query).get('ticket') ?? '')
    const browser = access.browserOf(request.headers.get('cookie') ?? '', cookie, place)
    if (browser === undefined) return closedPage(request)
    const refused = refusalOf(request.method, request.headers, names.shown)
    if (refused) return page(request, 403, 'This preview takes no such request', refused)
    if (count >= MAX_OPEN)
      return page(request, 503, 'Too many previews are open', 'Close some of their pages.')
    gate.wait()
    const way = { box, ports: portsOf(box), port: place.port, pool }
    if (request.headers.get('upgrade')?.toLowerCase() === 'websocket')
      return upgraded(request, gate, browser, way, names)
    const stop = new AbortController()
    const done = began(browser, () => stop.abort())
    return forward(request, way, names, AbortSignal.any([request.signal, stop.signal]), done)
  }

  const upgraded = async (
    request: Request,
    gate: Gate,
    browser: string,
    way: Parameters<typeof tunnelTo>[1],
    names: Names,
  ): Promise<Response | undefined> => {
    let tunnel: Tunnel | undefined
    let isRevoked = false
    const done = began(browser, () => {
      isRevoked = true
      tunnel?.end(SIGNED_OUT, 'signed out')
    })
    const opened = await tunnelTo(request, way, names, done)
    if (opened instanceof Response) {
      done()
      return opened
    }
    tunnel = opened
    const { protocol } = opened
    const headers: Record<string, string> =
      protocol === undefined ? {} : { 'sec-websocket-protocol': protocol }
    if (!isRevoked && gate.upgrade(opened, headers)) return undefined
    opened.end(GONE, '')
    return page(request, 400, 'This is no WebSocket', 'The browser has gone.')
  }

  const entered = (request: Request, { place, cookie }: Spot, ticket: string): Response => {
    const value = request.method === 'GET' ? access.redeem(ticket, place) : undefined
    if (value === undefined)
      return page(
        request,
        403,
        'This address has been used',
        'It opens a preview once, within 30 seconds. Open it from coop’s page again.',
      )
    const isKnown = access.browserOf(request.headers.get('cookie') ?? '', cookie, place) !== undefined
    const fields = [`${cookie}=${value}`, 'HttpOnly', 'SameSite=Lax', 'Path=/', `Max-Age=${COOKIE_S}`]
    if (isTls) fields.push('Secure')
    const headers = new Headers({
      location: '/',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      // What an earlier box of the same name has left in the browser must not act in the page of this one.
      ...(isKnown ? {} : { 'clear-site-data': '"cache", "storage"' }),
    })
    headers.append('set-cookie', fields.join('; '))
    return new Response(null, { status: 303, headers })
  }

  const spotOf = (box: PortBox, port: number, host: string, ownPort: number | undefined): Spot => ({
    box,
    place: { box: box.name, created: box.manifest.created, port, host },
    names: {
      shown: `${scheme}://${host}`,
      port,
      sharesCookies: ownPort !== undefined,
      cookiePrefix: cookiePrefix(ownPort ?? 0),
    },
    cookie: `coop-preview-${ownPort ?? site.port}`,
  })

  const current = (box: PortBox): PortBox | undefined =>
    boxes().find(({ name, manifest }) => name === box.name && manifest.created === box.manifest.created)

  const ownPorts = new OwnPorts(site, (request, gate, { box, port }, host, ownPort) => {
    const now = current(box)
    return answer(request, gate, now && spotOf(now, port, host, ownPort))
  })

  const forget = browsers.onRevoked((browser) => {
    for (const end of [...(open.get(browser) ?? [])]) end()
  })

  return {
    fetch(request, gate) {
      const host = request.headers.get('host') ?? ''
      if (!/^\d+\.[^/]*\.localhost(?::\d+)?$/.test(host)) return undefined
      const named = readPreviewHost(host, site.port, isTls)
      const box = named && boxOfLabel(named.label, boxes())
      return { response: answer(request, gate, box && spotOf(box, named.port, host, undefined)) }
    },
    open(browser, pageHost, { box, port, plain }) {
      const shown = pageHost.replace(/:\d+$/, '')
      const isNamed = isLocalName(shown) && !plain
      // The address itself: a program in a box can listen on the same port at the other address of `localhost`.
      const name = isLocalName(shown) ? (site.hostname === '::1' ? '[::1]' : '127.0.0.1') : shown
      const ownPort = isNamed ? undefined : ownPorts.portOf(box, port, name)
      const host = isNamed
        ? hostWithPort(`${port}.${labelOf(box.name)}.localhost`, site.port, isTls)
        : hostWithPort(name, ownPort ?? 0, isTls)
      const { place, names } = spotOf(box, port, host, ownPort)
      if (browsers.secretOf(browser) === undefined)
        throw new CoopError('E_USAGE', 'this browser is not signed in', { hint: 'sign in again' })
      return `${names.shown}${OPENING}?ticket=${access.issue(browser, place)}`
    },
    stop() {
      forget()
      for (const ends of [...open.values()]) for (const end of [...ends]) end()
      ownPorts.stop()
      pool.close()
    },
  }
}

const GONE = 1001
const SIGNED_OUT = 4401

/** One preview as a request finds it. */
interface Spot {
  readonly box: PortBox
  readonly place: Place
  readonly names: Names
  readonly cookie: string
}
