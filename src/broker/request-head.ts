/**
 * Heads of the requests that boxes make (RFC 9112). What two readers could understand differently is refused, and so is
 * every way to name another host: the broker has one address for each provider, and nothing in a request changes it.
 */
import type { Framing, Header } from '../preview/http-head.ts'

export const MAX_HEAD = 64 << 10 // bytes; agents send some 2 kB
const MAX_HEADERS = 100
const MAX_TARGET = 2048
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/ // RFC 9110, section 5.6.2
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Below one slash, without an escape: none of the APIs needs one, and `%2e%2e%2f` is a path to others. */
const PATH = /^\/(?!\/)[\w.:~-]*(?:\/[\w.:~-]+)*$/
const PARAMETER = /^([A-Za-z_]\w{0,63})=([\w.,:~-]{0,256})$/

/** A request that is not one, or that says two things at once. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest'
  readonly status: number

  constructor(status: number, sentence: string) {
    super(sentence)
    this.status = status
  }
}

export interface RequestHead {
  readonly method: string
  readonly path: string
  /** With its question mark; '' without any. */
  readonly query: string
  readonly parameters: readonly string[]
  /** Names in lower case. */
  readonly headers: readonly Header[]
  readonly framing: Framing
  /** Whether another request may follow on the connection. */
  readonly persists: boolean
  readonly wantsContinue: boolean
  /** How many bytes the head has. */
  readonly size: number
}

/** Reads a head; undefined as long as it is not complete. `port`: the broker's own. Throws {@link BadRequest}. */
export function readRequestHead(bytes: Buffer, port: number): RequestHead | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end > MAX_HEAD || (end < 0 && bytes.length > MAX_HEAD))
    throw new BadRequest(431, 'the headers are too long')
  if (end < 0) {
    // A line that ends with LF alone is no line, and some readers take two of them for the end of the head.
    if (/\n\r?\n|(?:^|[^\r])\n/.test(bytes.toString('latin1'))) throw new BadRequest(400, 'a malformed head')
    return undefined
  }
  const text = bytes.toString('latin1', 0, end)
  const [first = '', ...lines] = text.split('\r\n')
  if (/[\r\n\0]/.test(text.replaceAll('\r\n', ''))) throw new BadRequest(400, 'a malformed head')
  const [, method = '', target = '', version = ''] = /^([A-Z]{3,16}) (\S+) HTTP\/(\d\.\d)$/.exec(first) ?? []
  if (!method) throw new BadRequest(400, 'a malformed request line')
  if (version !== '1.1') throw new BadRequest(505, 'only HTTP/1.1 is spoken here')
  if (!['GET', 'HEAD', 'POST'].includes(method))
    throw new BadRequest(405, 'only GET, HEAD and POST are allowed')
  if (lines.length > MAX_HEADERS) throw new BadRequest(431, 'too many headers')
  const headers = lines.map(readHeader)
  checkHost(headers, port)
  const { path, query, parameters } = readTarget(target)
  const options = tokens(headers, 'connection')
  const expect = valuesOf(headers, 'expect')
  if (expect.length && !(expect.length === 1 && expect[0]?.toLowerCase() === '100-continue'))
    throw new BadRequest(417, 'an unknown expectation')
  return {
    method,
    path,
    query,
    parameters,
    headers,
    framing: framingOf(headers),
    persists: !options.includes('close'),
    wantsContinue: expect.length > 0,
    size: end + 4,
  }
}

function readHeader(line: string): Header {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon)
  const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')
  // A line that continues the one before begins with a space, and no token does.
  if (colon < 1 || !TOKEN.test(name) || !VALUE.test(value)) throw new BadRequest(400, 'a malformed header')
  return [name.toLowerCase(), value]
}

export const valuesOf = (headers: readonly Header[], name: string): readonly string[] =>
  headers.flatMap(([one, value]) => (one === name ? [value] : []))

/** The members of a list header, in lower case. */
export const tokens = (headers: readonly Header[], name: string): readonly string[] =>
  valuesOf(headers, name)
    .flatMap((value) => value.split(','))
    .map((one) => one.trim().toLowerCase())
    .filter(Boolean)

/** A page of another name that leads here (DNS rebinding) has another host. */
function checkHost(headers: readonly Header[], port: number): void {
  const hosts = valuesOf(headers, 'host')
  const own = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (hosts.length !== 1 || !own.includes(hosts[0] ?? ''))
    throw new BadRequest(421, 'this host is not served here')
}

function readTarget(target: string): Pick<RequestHead, 'path' | 'query' | 'parameters'> {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const text = mark < 0 ? '' : target.slice(mark + 1)
  const isClimbing = path.split('/').some((part) => part === '.' || part === '..')
  if (target.length > MAX_TARGET || !PATH.test(path) || isClimbing)
    throw new BadRequest(400, 'a path that is not served here')
  const parameters = text === '' ? [] : text.split('&').map((one) => PARAMETER.exec(one)?.[1] ?? '')
  if (parameters.includes('')) throw new BadRequest(400, 'a malformed query')
  return { path, query: text === '' ? '' : `?${text}`, parameters }
}

function framingOf(headers: readonly Header[]): Framing {
  const codings = tokens(headers, 'transfer-encoding')
  const lengths = valuesOf(headers, 'content-length')
  if (codings.length && lengths.length) throw new BadRequest(400, 'a body with two lengths')
  if (codings.length && codings.join() !== 'chunked')
    throw new BadRequest(501, 'an unknown transfer encoding')
  if (lengths.length > 1 || lengths.some((length) => !/^\d{1,15}$/.test(length)))
    throw new BadRequest(400, 'a body without a clear length')
  if (codings.length) return { by: 'chunks' }
  const [length] = lengths
  return length === undefined || Number(length) === 0
    ? { by: 'none' }
    : { by: 'length', bytes: Number(length) }
}
