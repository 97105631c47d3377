/** Where a browser's push service listens, and its keys, checked before anything is sent there. Pure. */
import { isIP } from 'node:net'
import { CoopError } from '../core/errors.ts'
import type { PushSubscription } from '../protocol/calls/push.ts'

const P256DH = 65 // bytes of an uncompressed point of P-256, which begins with 4 (RFC 8291, 3.1)
const AUTH = 16 // bytes

/** Names that never belong to the internet, whatever a name server says (RFC 6761, 6762, 8375, and ICANN's .internal). */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|lan|home|corp|home\.arpa|invalid|test|onion)\.?$/i

export interface EndpointRules {
  /** Whether the daemon may connect to that address. */
  readonly mayConnect: (address: string) => boolean
}

/**
 * Returns the address of a push service. Raises E_USAGE unless it is `https` to a name of the internet or to an address
 * that may be connected to; what a name leads to is checked when it is connected to (deliver.ts).
 */
export function endpointOf(text: string, { mayConnect }: EndpointRules): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:') throw refused('is no https address')
  if (url.username || url.password) throw refused('has a user name in it')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) ? !mayConnect(host) : LOCAL_NAME.test(host) || !host.includes('.'))
    throw refused('is not on the internet')
  return url
}

/** Raises E_USAGE for a subscription that no notice could be encrypted for, or that leads into the local network. */
export function checkSubscription(subscription: PushSubscription, rules: EndpointRules): void {
  endpointOf(subscription.endpoint, rules)
  const point = Buffer.from(subscription.keys.p256dh, 'base64url')
  if (point.length !== P256DH || point[0] !== 4) throw refused('has no key of the curve P-256')
  if (Buffer.from(subscription.keys.auth, 'base64url').length !== AUTH)
    throw refused('has no secret of 16 bytes')
}

const refused = (why: string): CoopError =>
  new CoopError('E_USAGE', `the browser's push service ${why}`, {
    hint: 'notices still appear while the page is open',
  })
