/** Decides about a request before anything leaves the machine: whose it is, and whether that box may make it. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { BrokeredProvider } from '../config/broker-values.ts'
import { shownToken } from './headers.ts'
import { BadRequest, type RequestHead, valuesOf } from './request-head.ts'
import { isToken } from './terms/grant.ts'
import { isAllowed, PROVIDERS, type ProviderName, routeOf } from './terms/providers.ts'

/** A running box that has a grant. */
export interface GrantedBox {
  readonly name: string
  readonly created: number
  readonly token: string
  readonly providers: Readonly<Partial<Record<ProviderName, BrokeredProvider>>>
  /** The PATH of its caller. */
  readonly path?: string | undefined
}

export interface Admitted {
  readonly box: GrantedBox
  readonly provider: ProviderName
  readonly terms: BrokeredProvider
  /** Where the request goes. */
  readonly url: URL
  /** Whether the provider takes money for it. */
  readonly isBilled: boolean
}

const MAX_BODY = 64 << 20 // bytes; Anthropic takes 32 MB

const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The box of a token. All are compared, each in constant time. */
function boxOf(token: string | undefined, boxes: readonly GrantedBox[]): GrantedBox | undefined {
  if (token === undefined || !isToken(token)) return undefined
  const shown = hash(token)
  const [found] = boxes.filter((box) => timingSafeEqual(hash(box.token), shown))
  return found
}

/** Throws {@link BadRequest} for what no box may ask for. */
export function admit(head: RequestHead, boxes: readonly GrantedBox[]): Admitted {
  const box = boxOf(shownToken(head.headers), boxes)
  if (!box) throw new BadRequest(401, 'this key is the placeholder of no running box')
  const route = routeOf(head.path)
  const terms = route && box.providers[route.provider]
  if (!route || !terms) throw new BadRequest(404, 'the broker does not serve this path in this box')
  const { title, url, parameters, billed } = PROVIDERS[route.provider]
  if (valuesOf(head.headers, 'upgrade').length)
    throw new BadRequest(426, 'the broker speaks plain HTTP; agents then go on with it')
  if (!isAllowed(route.provider, head.method, route.path))
    throw new BadRequest(
      403,
      `boxes may only ask models of ${title}: ${head.method} ${route.path} is not allowed`,
    )
  const other = head.parameters.find((name) => !parameters.test(name))
  if (other !== undefined) throw new BadRequest(403, `the parameter ${other} is not allowed`)
  if (head.framing.by === 'length' && head.framing.bytes > MAX_BODY) throw tooLarge()
  if (head.framing.by !== 'none' && head.method !== 'POST')
    throw new BadRequest(400, `${head.method} with a body is not allowed`)
  return {
    box,
    provider: route.provider,
    terms,
    url: new URL(`${terms.url || url}${route.path}${head.query}`),
    isBilled: head.method === 'POST' && billed.test(route.path),
  }
}

const tooLarge = (): BadRequest => new BadRequest(413, `bodies may have ${MAX_BODY} bytes`)

/** Throws {@link BadRequest} for a body that is longer than allowed. */
export function checkLength(bytes: number): void {
  if (bytes > MAX_BODY) throw tooLarge()
}

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
}

/** An error of the broker's own, in a form that fits the clients of all three providers. */
export function refusal(status: number, sentence: string): string {
  const type = TYPES[status] ?? 'api_error'
  const error = { type, code: type, status: type.toUpperCase(), message: `coop: ${sentence}` }
  const body = JSON.stringify({ type: 'error', error })
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'x-should-retry: false',
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
