/**
 * Heads of HTTP/1.1 messages (RFC 9112): writing a request's, and reading a response's. What a box sends is hostile:
 * everything is bounded, and whatever two readers could understand differently is refused.
 */

export type Header = readonly [name: string, value: string]

/** Headers of one connection only (RFC 9110, section 7.6.1), besides those about a body. */
export const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
] as const

const MAX_HEAD = 128 << 10 // bytes of one response's head; browsers take 256 KiB
const MAX_HEADERS = 300
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/ // RFC 9110, section 5.6.2
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/

/** The other side does not speak HTTP, or not cleanly. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage'
}

/** The bytes of a request's head. Throws {@link BadMessage} for what could be read as more than one header. */
export function requestHead(method: string, target: string, headers: readonly Header[]): Uint8Array {
  if (!TOKEN.test(method) || !TARGET.test(target)) throw new BadMessage('a request that cannot be written')
  const lines = headers.map(([name, value]) => {
    if (!TOKEN.test(name) || !VALUE.test(value)) throw new BadMessage(`the header ${name} cannot be written`)
    return `${name}: ${value}\r\n`
  })
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}

/** How the end of a body is known. */
export type Framing =
  | { readonly by: 'none' }
  | { readonly by: 'length'; readonly bytes: number }
  | { readonly by: 'chunks' }
  | { readonly by: 'end' }

export interface ResponseHead {
  readonly status: number
  readonly reason: string
  readonly headers: readonly Header[]
  readonly framing: Framing
  /** Whether the connection can be used again after the body. */
  readonly persists: boolean
  /** How many bytes the head has. */
  readonly size: number
}

/** Reads a response's head; undefined as long as it is not complete. Throws {@link BadMessage}. */
export function readResponseHead(bytes: Buffer, method: string): ResponseHead | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end > MAX_HEAD || (end < 0 && bytes.length > MAX_HEAD)) throw new BadMessage('its headers are too long')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const [, minor, digits, reason = ''] =
    /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(first) ?? []
  const status = Number(digits)
  if (minor === undefined || status > 599) throw new BadMessage('it does not answer with HTTP')
  if (lines.length > MAX_HEADERS) throw new BadMessage('it sends too many headers')
  const headers = lines.map(readHeader)
  const framing = framingOf(headers, status, method)
  const options = tokensOf(headers, 'connection')
  const persists = minor === '1' && framing.by !== 'end' && !options.includes('close') && status !== 101
  return { status, reason, headers, framing, persists, size: end + 4 }
}

function readHeader(line: string): Header {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon)
  const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')
  // A line that continues the one before begins with a space, and no token does.
  if (colon < 1 || !TOKEN.test(name) || !VALUE.test(value))
    throw new BadMessage('it sends a malformed header')
  return [name.toLowerCase(), value]
}

/** The members of a list header, in lower case. */
export function tokensOf(headers: readonly Header[], name: string): string[] {
  return headers
    .filter(([one]) => one === name)
    .flatMap(([, value]) => value.split(','))
    .map((token) => token.trim().toLowerCase())
    .filter(Boolean)
}

function framingOf(headers: readonly Header[], status: number, method: string): Framing {
  const codings = tokensOf(headers, 'transfer-encoding')
  const lengths = headers.filter(([name]) => name === 'content-length').map(([, value]) => value)
  if (codings.length && lengths.length) throw new BadMessage('it gives its body two lengths')
  if (codings.length && codings.join() !== 'chunked')
    throw new BadMessage('it encodes its body in an unknown way')
  if (lengths.some((length) => length !== lengths[0] || !/^\d{1,15}$/.test(length)))
    throw new BadMessage('it gives its body no clear length')
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { by: 'none' }
  if (codings.length) return { by: 'chunks' }
  return lengths[0] === undefined ? { by: 'end' } : { by: 'length', bytes: Number(lengths[0]) }
}
