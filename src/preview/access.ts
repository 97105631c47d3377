/**
 * Who may see a preview: browsers that are signed in to coop, each after it has opened the preview from coop's page. The
 * page gets a one-time ticket, which the preview's own host exchanges for a cookie. The cookie is computed and not
 * stored: it holds as long as the browser is signed in, also for the next daemon, and for no other browser, box or host.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { cookieValues } from './cookies.ts'

const TICKET_MS = 30_000
const MAX_TICKETS = 1_000 // then the oldest goes

/** The preview of one port of one box under one host name. */
export interface Place {
  readonly box: string
  /** When the box was made: another box of the same name is another place. */
  readonly created: number
  readonly port: number
  /** The value of the Host header. */
  readonly host: string
}

/** The browsers that are signed in. */
export interface SignedIn {
  /** What only the daemon and that browser can know, as long as it is signed in. */
  secretOf(browser: string): string | undefined
  /** Called with a browser that is signed out. Returns the function that takes that back. */
  onRevoked(tell: (browser: string) => void): () => void
}

interface Ticket {
  readonly browser: string
  readonly place: Place
  readonly until: number
}

export class Access {
  readonly #browsers: SignedIn
  readonly #now: () => number
  readonly #tickets = new Map<string, Ticket>()

  constructor(browsers: SignedIn, now: () => number = () => performance.now()) {
    this.#browsers = browsers
    this.#now = now
  }

  /** A ticket, which opens that place once. */
  issue(browser: string, place: Place): string {
    for (const [hash, { until }] of this.#tickets) {
      if (until > this.#now() && this.#tickets.size < MAX_TICKETS) break
      this.#tickets.delete(hash)
    }
    const ticket = randomBytes(24).toString('base64url')
    this.#tickets.set(hashOf(ticket), { browser, place, until: this.#now() + TICKET_MS })
    return ticket
  }

  /** Takes a ticket; returns the value of the cookie for it. Undefined for a ticket that does not hold here and now. */
  redeem(ticket: string, place: Place): string | undefined {
    const hash = hashOf(ticket)
    const found = this.#tickets.get(hash)
    this.#tickets.delete(hash) // wherever it is shown, it is known to somebody else now
    if (!found || found.until <= this.#now() || textOf(found.place) !== textOf(place)) return undefined
    const proof = this.#proof(found.browser, place)
    return proof && `${found.browser}.${proof}`
  }

  /** The browser to which these cookies belong; undefined if none of them opens the place. */
  browserOf(cookies: string, name: string, place: Place): string | undefined {
    for (const value of cookieValues(cookies, name).slice(0, 8)) {
      const [browser = '', proof = ''] = value.split('.')
      const wanted = this.#proof(browser, place)
      if (wanted !== undefined && isSame(proof, wanted)) return browser
    }
    return undefined
  }

  #proof(browser: string, place: Place): string | undefined {
    const secret = this.#browsers.secretOf(browser)
    return (
      secret &&
      createHmac('sha256', secret)
        .update(`preview\n${textOf(place)}`)
        .digest('base64url')
    )
  }
}

const textOf = ({ box, created, port, host }: Place): string => [box, created, port, host].join('\n')

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}
