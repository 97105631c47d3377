/** Which headers pass between a box and a provider. */
import { type Header, HOP_BY_HOP } from '../preview/http-head.ts'
import { tokens } from './request-head.ts'
import { PROVIDERS, type ProviderName } from './terms/providers.ts'

/** Written anew, or nobody's but the broker's: keys, cookies, another method, the account that pays. */
const OWN: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'host',
  'content-length',
  'transfer-encoding',
  'expect',
  'accept-encoding',
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'x-goog-user-project',
  'x-goog-iam-authorization-token',
  'cookie',
  'cookie2',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'forwarded',
  'via',
  'x-real-ip',
])

/** The token that a request shows, wherever clients put a key; undefined for none, or for more than one. */
export function shownToken(headers: readonly Header[]): string | undefined {
  const shown = headers.flatMap(([name, value]) => {
    if (name === 'x-api-key' || name === 'x-goog-api-key') return [value]
    if (name === 'authorization') return [/^Bearer +(\S+)$/i.exec(value)?.[1] ?? '']
    return []
  })
  return new Set(shown).size === 1 ? shown[0] : undefined
}

/** The headers that the provider gets. */
export function toProvider(
  sent: readonly Header[],
  about: {
    readonly provider: ProviderName
    readonly host: string
    readonly key: string
    readonly token: string
  },
): Header[] {
  const dropped = new Set(tokens(sent, 'connection'))
  const kept = sent.filter(
    ([name, value]) =>
      !OWN.has(name) &&
      !dropped.has(name) &&
      !name.startsWith('x-forwarded-') &&
      !name.startsWith('x-coop-') &&
      !value.includes(about.token),
  )
  const { header } = PROVIDERS[about.provider]
  const key: Header = header === 'bearer' ? ['authorization', `Bearer ${about.key}`] : [header, about.key]
  // Unpacked, so that tokens can be counted beside the stream.
  return [['host', about.host], ...kept, ['accept-encoding', 'identity'], key]
}

/** Of the connection to the provider, or leading the box's program past the broker. */
const NOT_FOR_BOXES: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'strict-transport-security',
])

/** The headers that the box gets. The body's own ones stay: its bytes pass as they are. */
export function toBox(sent: readonly Header[]): Header[] {
  const dropped = new Set(tokens(sent, 'connection'))
  return sent.filter(([name]) => !NOT_FOR_BOXES.has(name) && !dropped.has(name))
}
