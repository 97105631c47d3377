/** Hands one encrypted message to a push service (RFC 8030, 5): one request, no redirect, nothing read but its status. */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { request } from 'node:https'
import { type EndpointRules, endpointOf } from './endpoint.ts'

const TIMEOUT_MS = 20_000 // for all of it
const MAX_WAIT_MS = 5 * 60_000 // a notice that comes later helps nobody

export interface Message {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** `gone`: the subscription has ended. `later`: worth another try, perhaps not before some time. */
export type Delivery =
  | { readonly is: 'delivered' }
  | { readonly is: 'gone' }
  | { readonly is: 'later'; readonly why: string; readonly waitMs?: number }
  | { readonly is: 'refused'; readonly why: string }

/** Sends messages to push services. */
export type Deliver = (message: Message) => Promise<Delivery>

/** Looks up every address of a name. Raises an Error if there is none. */
export type LookUp = (name: string) => Promise<readonly LookupAddress[]>

const systemLookUp: LookUp = (name) => lookup(name, { all: true })

/** `authorities`: the texts of the certificates to trust. */
export function delivering(
  rules: EndpointRules,
  authorities: () => readonly string[],
  lookUp: LookUp = systemLookUp,
): Deliver {
  return (message) => {
    const { promise, resolve } = Promise.withResolvers<Delivery>()
    const later = (error: unknown): void => resolve({ is: 'later', why: String(error) })
    try {
      const url = endpointOf(message.endpoint, rules)
      const sent = request(url, {
        method: 'POST',
        headers: message.headers,
        ca: [...authorities()],
        agent: false, // a connection of its own, to an address that was looked at
        lookup: (name, _, found) => {
          const listed = (addresses: readonly LookupAddress[]): void => found(null, [...addresses])
          allowed(lookUp(name), name, rules).then(listed, (error) => found(error, []))
        },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      sent.on('error', later)
      sent.on('response', (response) => {
        resolve(meaningOf(response.statusCode ?? 0, response.headers['retry-after']))
        response.on('error', () => {}) // nothing that follows matters
        response.destroy()
      })
      sent.end(message.body)
    } catch (error) {
      resolve({ is: 'refused', why: String(error) })
    }
    return promise
  }
}

/**
 * Looks a name up once, so that nothing is connected to but what was found and checked: a second answer of the name
 * server could be another one (DNS rebinding). One address that may not be connected to spoils them all.
 */
async function allowed(
  found: ReturnType<LookUp>,
  name: string,
  { mayConnect }: EndpointRules,
): Promise<readonly LookupAddress[]> {
  const addresses = await found
  if (addresses.length && addresses.every(({ address }) => mayConnect(address))) return addresses
  throw new Error(`${name} is not on the internet`)
}

/** Pure. */
export function meaningOf(status: number, retryAfter: string | undefined): Delivery {
  if (status >= 200 && status < 300) return { is: 'delivered' }
  if (status === 404 || status === 410) return { is: 'gone' }
  const why = `status ${status}`
  if (status !== 429 && status < 500) return { is: 'refused', why }
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined
  return seconds === undefined
    ? { is: 'later', why }
    : { is: 'later', why, waitMs: Math.min(seconds * 1000, MAX_WAIT_MS) }
}
