/** Cookies of previews: coop's own never reach a box, and a box never sets one of them. */

const OWN = /^(?:__secure-|__host-)?coop(?:-|$)/i

/** Whether coop uses, or may come to use, a cookie of that name. */
export const isOwnCookie = (name: string): boolean => OWN.test(name)

/** The pairs of a Cookie header (RFC 6265, section 5.4). */
function* pairsOf(header: string): Generator<{ name: string; value: string; pair: string }> {
  for (const part of header.split(';')) {
    const pair = part.trim()
    const equals = pair.indexOf('=')
    if (pair)
      yield {
        name: equals < 0 ? '' : pair.slice(0, equals).trim(),
        value: pair.slice(equals + 1).trim(),
        pair,
      }
  }
}

/** The values of a cookie: other ports and paths of a host may have set one of the same name, too. */
export function cookieValues(header: string, name: string): string[] {
  return [...pairsOf(header)].filter((one) => one.name === name).map(({ value }) => value)
}

const SHARED = /^coop\.p\d+\./ // cookies of a preview that shares its host name with others

/** The prefix of a preview's cookies where all previews have one host name. */
export const cookiePrefix = (port: number): string => `coop.p${port}.`

/** The Cookie header for the box. With a prefix it has only the cookies that this preview's server has set. */
export function cookiesForBox(header: string, prefix: string): string {
  const kept: string[] = []
  for (const { name, pair } of pairsOf(header)) {
    if (!name || isOwnCookie(name)) continue
    if (prefix && name.startsWith(prefix)) kept.push(pair.slice(prefix.length))
    else if (!prefix && !SHARED.test(name)) kept.push(pair)
  }
  return kept.join('; ')
}
