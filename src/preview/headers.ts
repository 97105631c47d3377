/** Which headers pass between a browser and a box's server, and how they change on the way. */
import { cookiesForBox, isOwnCookie } from './cookies.ts'
import { type Header, HOP_BY_HOP, tokensOf } from './http-head.ts'

/** Two names of one server: the browser's, and the one that the server knows itself by. */
export interface Names {
  /** E.g. `http://3000.shop.localhost:8888`. */
  readonly shown: string
  readonly port: number
  /** Whether other previews have the same host name, and with it the same cookies. */
  readonly sharesCookies: boolean
  /** Prefix of this preview's cookies among those of others. */
  readonly cookiePrefix: string
}

/** Of this connection only. */
const HOP: readonly string[] = [...HOP_BY_HOP, 'transfer-encoding', 'expect', 'content-length']

/** Claims about proxies, which only a proxy may make. */
const CLAIMS = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/

const ownOrigin = (port: number): string => `http://localhost:${port}`

/**
 * The headers that the box's server gets. Host, Origin and Referer all name `localhost:PORT`: development servers refuse
 * other hosts (vite, webpack, next: against DNS rebinding), and frameworks refuse a form whose Origin is another one than
 * their Host (django, SvelteKit, astro) or than X-Forwarded-Host (next, rails). So there is no X-Forwarded-Host.
 */
export function requestHeaders(sent: Headers, { shown, port, ...names }: Names): Header[] {
  const all: Header[] = [...sent]
  const dropped = new Set([...HOP, 'host', 'cookie', ...tokensOf(all, 'connection')])
  const kept: Header[] = [['host', `localhost:${port}`]]
  for (const [name, value] of all) {
    if (dropped.has(name) || CLAIMS.test(name) || name.startsWith('x-coop-')) continue
    if (name === 'origin' && value === shown) kept.push([name, ownOrigin(port)])
    else if (name === 'referer' && isBelow(value, shown))
      kept.push([name, ownOrigin(port) + value.slice(shown.length)])
    else kept.push([name, value])
  }
  const cookies = cookiesForBox(sent.get('cookie') ?? '', names.sharesCookies ? names.cookiePrefix : '')
  if (cookies) kept.push(['cookie', cookies])
  return kept
}

const isBelow = (url: string, origin: string): boolean => url === origin || url.startsWith(`${origin}/`)

/**
 * Headers that would act on more than this preview. HSTS and Clear-Site-Data reach every port of a host, coop's own
 * included; Alt-Svc, NEL and reports lead the browser elsewhere for longer than the page lives.
 */
const DANGEROUS = new Set([
  'strict-transport-security',
  'clear-site-data',
  'service-worker-allowed',
  'alt-svc',
  'nel',
  'report-to',
  'public-key-pins',
  'expect-ct',
  'set-cookie2',
  // Sessions that are bound to a device may cover a whole site, whose requests then wait for them.
  'sec-session-registration',
  'secure-session-registration',
  'sec-session-challenge',
  'secure-session-challenge',
])

const MAX_COOKIE = 4096 // bytes; browsers keep no larger one

/** The headers that the browser gets. */
export function responseHeaders(sent: readonly Header[], names: Names): Headers {
  const dropped = new Set([...HOP, ...tokensOf(sent, 'connection')])
  const kept = new Headers()
  for (const [name, value] of sent) {
    if (dropped.has(name) || DANGEROUS.has(name) || name.startsWith('x-coop-')) continue
    if (name === 'set-cookie') {
      const cookie = cookieFromBox(value, names.sharesCookies ? names.cookiePrefix : '')
      if (cookie !== undefined) kept.append(name, cookie)
    } else if (name === 'location') kept.append(name, shownAddress(value, names))
    else kept.append(name, value)
  }
  // No other page may show this one, or load parts of it: cookies are sent along from every port of a host.
  kept.append('content-security-policy', "frame-ancestors 'self'")
  kept.set('cross-origin-resource-policy', 'same-origin')
  return kept
}

/** Set-Cookie for the browser; undefined for one that would reach coop or another preview. */
export function cookieFromBox(value: string, prefix: string): string | undefined {
  const [pair = '', ...attributes] = value.split(';')
  const equals = pair.indexOf('=')
  const name = (equals < 0 ? '' : pair.slice(0, equals)).trim()
  const isWide = attributes.some((one) => /^\s*domain\s*(?:=|$)/i.test(one))
  // Browsers read a pair without a name as the name of a cookie in some places, and as its value in others.
  if (!name || isWide || value.length > MAX_COOKIE || isOwnCookie(name)) return undefined
  return prefix + value.trimStart()
}

/** A redirect to the server's own name leads to the preview's. */
function shownAddress(value: string, { shown, port }: Names): string {
  for (const own of [ownOrigin(port), `http://127.0.0.1:${port}`, `http://[::1]:${port}`])
    if (value === own || /^[/?#]/.test(value.startsWith(own) ? value.slice(own.length) : ''))
      return shown + value.slice(own.length)
  return value
}
