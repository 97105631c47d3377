/** Carries one request of a browser on to a box's server, and its answer back. */
import { connectTo, NobodyListens } from './connect.ts'
import { exchange, type Incoming, NoAnswer, type Outgoing } from './exchange.ts'
import { type Names, requestHeaders, responseHeaders } from './headers.ts'
import { BadMessage, type Header } from './http-head.ts'
import { page } from './pages.ts'
import type { Pool } from './pool.ts'
import type { PortBox, Prover } from './ports.ts'
import { NoTunnel, openTunnel, type Tunnel } from './tunnel.ts'
import type { Wire } from './wire.ts'

const AGAIN_S = 2 // until a page tries again that found nobody

/** A box's port, and how it is reached. */
export interface Way {
  readonly box: PortBox
  readonly ports: Prover
  readonly port: number
  readonly pool: Pool
}

/** The path and query of a request as they were sent. */
export function targetOf(request: Request): string {
  const { url } = request
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const target = start < 0 ? '/' : url.slice(start).split('#', 1)[0]
  return Buffer.from(target || '/').toString('latin1')
}

const hasNoBody = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD'

/** Whether a request may be sent twice: it changes nothing (RFC 9110, section 9.2.1), and its body is not gone. */
const isRepeatable = (request: Request): boolean => hasNoBody(request) && request.body === null

function outgoing(request: Request, names: Names): Outgoing {
  const headers: Header[] = requestHeaders(request.headers, names)
  const { method, body } = request
  const target = targetOf(request)
  if (hasNoBody(request)) return { method, target, headers, body: null, length: undefined }
  const named = request.headers.get('content-length')
  const length = named !== null ? Number(named) : body ? undefined : 0
  headers.push(length === undefined ? ['transfer-encoding', 'chunked'] : ['content-length', String(length)])
  return { method, target, headers, body: length === 0 ? null : body, length }
}

/** The box's answer, or a page that says why there is none. `done` is called when its body has ended. */
export async function forward(
  request: Request,
  way: Way,
  names: Names,
  signal: AbortSignal,
  done: () => void,
): Promise<Response> {
  try {
    const out = outgoing(request, names)
    const { head, body } = await answer(request, out, way, signal, done)
    const headers = responseHeaders(head.headers, names)
    if (request.method === 'HEAD' || head.status === 304) keepLength(head.headers, headers)
    return new Response(body, { status: head.status, statusText: head.reason, headers })
  } catch (error) {
    done()
    return failure(request, way, error)
  }
}

function keepLength(from: readonly Header[], to: Headers): void {
  const length = from.find(([name]) => name === 'content-length')?.[1]
  if (length !== undefined) to.set('content-length', length)
}

async function answer(
  request: Request,
  out: Outgoing,
  way: Way,
  signal: AbortSignal,
  done: () => void,
): Promise<Incoming> {
  const key = `${way.box.name}\n${way.box.manifest.created}\n${way.port}`
  const over = (reusable: Wire | undefined): void => {
    if (reusable) way.pool.put(key, reusable)
    done()
  }
  const used = isRepeatable(request) ? way.pool.take(key) : undefined
  if (used) {
    try {
      return await exchange(used, out, signal, over)
    } catch (error) {
      // The server hung up while the request was under way, as it may between two of them.
      if (!(error instanceof NoAnswer) || signal.aborted) throw error
    }
  }
  return exchange(await connectTo(way.box, way.ports, way.port), out, signal, over)
}

/** Opens the box's side of a WebSocket; a response says why there is none. */
export async function tunnelTo(
  request: Request,
  way: Way,
  names: Names,
  ended: () => void,
): Promise<Tunnel | Response> {
  try {
    const wire = await connectTo(way.box, way.ports, way.port)
    return await openTunnel(wire, targetOf(request), requestHeaders(request.headers, names), ended)
  } catch (error) {
    if (error instanceof NoTunnel && error.head)
      return new Response(null, { status: error.head.status >= 400 ? error.head.status : 502 })
    return failure(request, way, error)
  }
}

function failure(request: Request, { box, port }: Way, error: unknown): Response {
  if (error instanceof NobodyListens) {
    const again = hasNoBody(request) ? { again: AGAIN_S } : {}
    const text = box.running
      ? `Start the server in the box ${box.name}; this page tries again every ${AGAIN_S} seconds.`
      : `The box ${box.name} is not running: coop start ${box.name}`
    return page(request, 503, `Nothing listens on port ${port}`, text, again)
  }
  const isTheirs = error instanceof BadMessage || error instanceof NoAnswer
  const why = isTheirs ? error.message : 'the connection failed'
  return page(
    request,
    502,
    `Port ${port} of ${box.name} does not answer`,
    `The program there was reached, but ${why}.`,
  )
}
