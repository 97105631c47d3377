/** Signing in and out over HTTP. */
import { type Browsers, nameOf, SIGNED_IN_S } from './browsers.ts'
import { plainHeaders, refusal } from './headers.ts'
import type { Site } from './hosts.ts'
import type { Lockout } from './lockout.ts'
import type { BrowserRecord } from './record.ts'
import { hasHash, hashOf } from './secrets.ts'

const MAX_BODY = 4096 // bytes of a sign-in: a token and its braces

export interface Door {
  readonly site: Site
  readonly token: string
  readonly readonly: boolean
  readonly browsers: Browsers
  readonly lockout: Lockout
  signedIn(browser: BrowserRecord): void
}

/** Ports of one host share their cookies, and two servers may serve: each port has a name of its own. */
export const cookieName = ({ port }: Site): string => `coop-${port}`

function cookieOf(site: Site, value: string, seconds: number): string {
  const fields = [
    `${cookieName(site)}=${value}`,
    'HttpOnly',
    'SameSite=Strict',
    'Path=/',
    `Max-Age=${seconds}`,
  ]
  return [...fields, ...(site.tls ? ['Secure'] : [])].join('; ')
}

const MAX_COOKIES = 8 // of the name that are looked at

/**
 * Returns the values of this server's cookie. There may be more than one: every port of the host can plant another, for a longer path or
 * with other attributes, and no request says which is which. A planted one opens nothing, as the key belongs to one of them only.
 */
function cookiesIn(site: Site, headers: Headers): readonly string[] {
  const pairs = (headers.get('cookie') ?? '').split(';').map((pair) => pair.trim().split('='))
  return pairs
    .flatMap(([name, value]) => (name === cookieName(site) && value ? [value] : []))
    .slice(0, MAX_COOKIES)
}

/** Returns the browser that a request comes from, if it is signed in. `key` is the secret that its page knows. */
export function browserOf(
  { site, browsers }: Pick<Door, 'site' | 'browsers'>,
  headers: Headers,
  key: string | null | undefined,
): BrowserRecord | undefined {
  const found = cookiesIn(site, headers).map((cookie) => browsers.find({ cookie, key: key ?? '' }))
  return found.find((one) => one !== undefined)
}

export async function signIn(door: Door, request: Request, address: string): Promise<Response> {
  const waits = Math.ceil(door.lockout.waits(address) / 1000)
  if (waits > 0) {
    const hint = `try again in ${waits} s`
    const answer = refusal(429, 'there were too many wrong tokens from this address', { hint })
    answer.headers.set('retry-after', String(waits))
    return answer
  }
  const token = await tokenIn(request)
  if (token === undefined) return refusal(400, 'a sign-in is {"token": TEXT}')
  if (!hasHash(token, hashOf(door.token))) {
    door.lockout.failed(address)
    const hint = 'open the address that coop serve prints now; each start has a new one'
    return refusal(401, 'the token is wrong', { hint })
  }
  door.lockout.succeeded(address)
  const name = nameOf(request.headers.get('user-agent') ?? '')
  const old = browserOf(door, request.headers, request.headers.get('x-coop-key'))
  const { browser, credentials } = door.browsers.signIn({ name, address, readonly: door.readonly })
  door.signedIn(browser)
  if (old) door.browsers.revoke(old.id) // it has a new name, and its old secrets are of no use
  const headers = { ...plainHeaders(), 'set-cookie': cookieOf(door.site, credentials.cookie, SIGNED_IN_S) }
  return Response.json({ key: credentials.key, id: browser.id }, { headers })
}

async function tokenIn(request: Request): Promise<string | undefined> {
  const length = Number(request.headers.get('content-length'))
  if (!(length > 0 && length <= MAX_BODY)) return undefined
  try {
    const { token } = (await request.json()) as { token?: unknown }
    return typeof token === 'string' ? token : undefined
  } catch {
    return undefined
  }
}

export function signOut(door: Door, browser: BrowserRecord): Response {
  door.browsers.revoke(browser.id)
  return new Response(null, {
    status: 204,
    headers: { ...plainHeaders(), 'set-cookie': cookieOf(door.site, '', 0) },
  })
}
