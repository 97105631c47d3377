/**
 * Which requests are meant for the page. A name that an attacker's DNS server leads to this machine (DNS rebinding) reaches it
 * with the attacker's name in `Host`, and a foreign page with its own in `Origin`. Pure.
 */

/** Where the page is served. */
export interface Site {
  readonly tls: boolean
  readonly port: number
  /** Names and addresses, in lower case, IPv6 without brackets. */
  readonly names: ReadonlySet<string>
}

const LOOPBACK = ['localhost', '127.0.0.1', '::1']

export const isLoopback = (host: string): boolean =>
  LOOPBACK.includes(host.toLowerCase()) || /^127(?:\.\d{1,3}){3}$/.test(host)

const isEveryAddress = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** An address of this machine, as os.networkInterfaces() has it. */
export interface Address {
  readonly address: string
  readonly internal: boolean
}

/** The names that requests may have for a server on `host`. */
export function namesOf(host: string, hostname: string, addresses: readonly Address[]): ReadonlySet<string> {
  if (isLoopback(host)) return new Set([...LOOPBACK, host.toLowerCase()])
  if (!isEveryAddress(host)) return new Set([host.toLowerCase()])
  const own = hostname.toLowerCase()
  const first = own.split('.')[0] ?? own
  return new Set([...LOOPBACK, own, first, `${first}.local`, ...addresses.map(({ address }) => address)])
}

/** The hosts of addresses that are shown to people, the best first. */
export function shownHosts(host: string, addresses: readonly Address[]): readonly string[] {
  if (!isEveryAddress(host)) return [host]
  const outside = addresses.filter(({ address, internal }) => {
    if (internal || address.startsWith('fe80:')) return false // a link-local address needs its interface's name
    return host === '::' || !address.includes(':')
  })
  const v4First = outside.toSorted(
    ({ address: one }, { address: other }) => Number(one.includes(':')) - Number(other.includes(':')),
  )
  return v4First.length ? v4First.map(({ address }) => address) : ['localhost']
}

const scheme = ({ tls }: Pick<Site, 'tls'>): string => (tls ? 'https' : 'http')

export function urlOf(site: Pick<Site, 'tls' | 'port'>, host: string): string {
  const name = host.includes(':') ? `[${host}]` : host
  const isUsual = site.port === (site.tls ? 443 : 80)
  return `${scheme(site)}://${name}${isUsual ? '' : `:${site.port}`}`
}

/** Splits the value of a Host field. Undefined for one that is none. */
export function splitHost(host: string, site: Pick<Site, 'tls'>): { name: string; port: number } | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(host)
  const name = found?.[1] ?? found?.[2]
  if (!found || name === undefined) return undefined
  const port = found[3] === undefined ? (site.tls ? 443 : 80) : Number(found[3])
  return { name: name.toLowerCase(), port }
}

/** Whether a Host field names the page itself. */
export function isOwnHost(site: Site, host: string | null): boolean {
  const named = splitHost(host ?? '', site)
  return named !== undefined && named.port === site.port && site.names.has(named.name)
}

/** Whether a request comes from the page itself. `Origin` is demanded: every browser sends it with what changes anything. */
export function isOwnOrigin(site: Site, headers: Headers): boolean {
  const host = headers.get('host') ?? ''
  const from = headers.get('sec-fetch-site')
  if (from !== null && from !== 'same-origin') return false
  return headers.get('origin')?.toLowerCase() === `${scheme(site)}://${host.toLowerCase()}`
}
