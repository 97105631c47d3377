/**
 * Host names of previews: `PORT.LABEL.localhost`. Browsers resolve names below `localhost` to this machine (RFC 6761),
 * and each of them is an origin of its own, so cookies and storage of one box's page are out of reach of another's.
 */
import { createHash } from 'node:crypto'

const PLAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/ // one label of a host name (RFC 1123)
const HASH = 16 // hexadecimal digits: a repository may choose its folder's name, and must not hit another box's
const HOST = /^([1-9][0-9]{0,4})\.([a-z0-9-]{1,63})\.localhost(?::([1-9][0-9]{0,4}))?$/

/**
 * The one label that stands for a box. A name with a dot would put two boxes below one registrable domain, where pages
 * may set cookies for each other.
 *
 * @example labelOf('shop') // 'shop'
 * @example labelOf('shop.v2') // 'shop-v2-6b1c0d…'
 */
export function labelOf(box: string): string {
  if (PLAIN.test(box) && !box.startsWith('xn--')) return box // which says that letters are encoded
  const plain = box.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')
  return `${plain}-${createHash('sha256').update(box).digest('hex').slice(0, HASH)}`
}

/** The one box with that label; undefined if there is none, or if two boxes could be meant. */
export function boxOfLabel<B extends { readonly name: string }>(
  label: string,
  boxes: readonly B[],
): B | undefined {
  const meant = boxes.filter(({ name }) => labelOf(name) === label)
  return meant.length === 1 ? meant[0] : undefined
}

/** A host as it stands in a Host header and in an origin: without the port that the scheme implies. */
export function hostWithPort(name: string, port: number, isTls: boolean): string {
  return port === (isTls ? 443 : 80) ? name : `${name}:${port}`
}

export interface PreviewHost {
  readonly port: number
  readonly label: string
}

/** Reads a Host header; undefined unless it names a preview of the server at `servePort`, exactly as browsers do. */
export function readPreviewHost(host: string, servePort: number, isTls: boolean): PreviewHost | undefined {
  const [, port, label] = HOST.exec(host) ?? []
  if (port === undefined || label === undefined || Number(port) > 65_535) return undefined
  if (host !== hostWithPort(`${port}.${label}.localhost`, servePort, isTls)) return undefined
  return { port: Number(port), label }
}

/** Whether a page under that host name can open names below `localhost`: it is on this machine. */
export function isLocalName(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}
