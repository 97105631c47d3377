/**
 * Downloads files of releases. What arrives is believed only after its signature or digest was checked, so this file
 * cares about size, time and encryption: an endless, slow or redirecting server gets a clear end.
 *
 * Bun's fetch takes proxies from HTTPS_PROXY, ALL_PROXY and NO_PROXY, and gets the authorities of this machine from
 * here (test/update/network.test.ts).
 */
import { CoopError } from '../core/errors.ts'
import { authorities } from '../host/authorities.ts'
import { isLoopback } from '../image/pull/http.ts'

const ANSWER_MS = 30_000 // until the head of an answer arrives
const STALL_MS = 30_000 // without a byte a connection counts as dead
const SMALL_MS = 60_000 // for a file of some kilobytes, whole
const SLOW_AFTER_MS = 60_000 // from then on a download must have kept the rate below
const SLOWEST_RATE = 4096 // bytes a second: at that rate an archive takes two hours
const ATTEMPTS = 3 // in a row that bring nothing
const FIRST_DELAY_MS = 250
const MAX_REDIRECTS = 8
const REDIRECTS = [301, 302, 303, 307, 308]

export interface HttpOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** For tests. */
  readonly times?: Partial<Times>
}

interface Times {
  readonly answerMs: number
  readonly stallMs: number
  readonly smallMs: number
  readonly slowAfterMs: number
  readonly delayMs: number
}

const TIMES: Times = {
  answerMs: ANSWER_MS,
  stallMs: STALL_MS,
  smallMs: SMALL_MS,
  slowAfterMs: SLOW_AFTER_MS,
  delayMs: FIRST_DELAY_MS,
}

/** A failure that may not happen again in another attempt. */
class Temporary extends Error {}

/** There is no such file. */
export class Missing extends CoopError {
  constructor(url: URL) {
    super('E_RELEASE', `${url.href} is not there (404)`, { hint: 'check the address of the releases' })
  }
}

const refused = (sentence: string, hint: string, cause?: unknown): CoopError =>
  new CoopError('E_RELEASE', sentence, { hint, cause })

const HINT_HOSTILE = 'do not use this address: the server is broken or hostile'
const HINT_AGAIN = 'nothing was changed; try again later'

export class Http {
  readonly #env: HttpOptions['env']
  readonly #times: Times
  #authorities: string[] | undefined

  constructor({ env, times = {} }: HttpOptions) {
    this.#env = env
    this.#times = { ...TIMES, ...times }
  }

  /** Returns a whole file of at most `max` bytes. Raises E_RELEASE, and Missing. */
  async small(url: URL, max: number): Promise<Uint8Array> {
    const until = performance.now() + this.#times.smallMs
    return this.#retry(url, async () => {
      const parts: Uint8Array[] = []
      let size = 0
      for await (const piece of this.#pieces(url, 0)) {
        size += piece.bytes.length
        if (size > max) throw refused(`${url.href} is larger than ${max} bytes`, HINT_HOSTILE)
        if (performance.now() > until) throw tooSlow(url, size)
        parts.push(piece.bytes)
      }
      return { done: Buffer.concat(parts) }
    })
  }

  /** Returns a file of exactly `size` bytes; continues where a connection broke off. Raises E_RELEASE, and Missing. */
  async exact(url: URL, size: number, progress: (done: number) => void): Promise<Uint8Array> {
    const all = new Uint8Array(size)
    const begun = performance.now()
    let done = 0
    return this.#retry(url, async () => {
      const before = done
      try {
        for await (const { bytes, offset } of this.#pieces(url, done, size)) {
          if (offset + bytes.length > size) throw tooLong(url, size)
          all.set(bytes, offset)
          done = offset + bytes.length
          progress(done)
          const took = performance.now() - begun
          if (took > this.#times.slowAfterMs && (done / took) * 1000 < SLOWEST_RATE) throw tooSlow(url, done)
        }
        if (done < size) throw new Temporary(`it broke off after ${done} of ${size} bytes`)
        return { done: all }
      } catch (error) {
        if (error instanceof Temporary && done > before) return { moved: error }
        throw error
      }
    })
  }

  /** Runs `work` until it is done. An attempt that has moved on starts the count anew. */
  async #retry<T>(url: URL, work: () => Promise<{ done: T } | { moved: Temporary }>): Promise<T> {
    let failed = 0
    for (;;) {
      try {
        const result = await work()
        if ('done' in result) return result.done
        failed = 0
      } catch (error) {
        if (!(error instanceof Temporary)) throw error
        if (++failed === ATTEMPTS)
          throw refused(`the download of ${url.href} failed: ${error.message}`, HINT_AGAIN, error)
      }
      await Bun.sleep(this.#times.delayMs * 2 ** failed)
    }
  }

  /** The file from an offset on, piece by piece with their places. A server that cannot continue sends all of it. */
  async *#pieces(
    url: URL,
    from: number,
    size = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<{ bytes: Uint8Array; offset: number }> {
    const abort = new AbortController()
    const response = await this.#follow(url, from, abort)
    const reader = response.body?.getReader()
    if (!reader) return
    try {
      let offset = startOf(response, from)
      const length = Number(response.headers.get('content-length') ?? 0)
      if (offset + length > size) throw tooLong(url, size)
      for (;;) {
        const { done, value } = await this.#within(reader.read(), this.#times.stallMs, 'nothing more came')
        if (done) return
        yield { bytes: value, offset }
        offset += value.length
      }
    } catch (error) {
      throw error instanceof CoopError || error instanceof Temporary
        ? error
        : new Temporary(`the connection broke off (${wordOf(error)})`, { cause: error })
    } finally {
      await reader.cancel().catch(() => {})
      abort.abort()
    }
  }

  async #within<T>(work: Promise<T>, ms: number, otherwise: string): Promise<T> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Temporary(`${otherwise} for ${ms / 1000} s`)), ms)
    try {
      return await Promise.race([work, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Returns the answer behind all redirects, with a body to read. */
  async #follow(first: URL, from: number, abort: AbortController): Promise<Response> {
    let url = first
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await this.#once(url, from, abort)
      if (!REDIRECTS.includes(response.status)) return checkStatus(response, url, first)
      await response.body?.cancel()
      const location = response.headers.get('location')
      const next = location ? URL.parse(location, url.href) : undefined
      if (!next) throw refused(`${url.host} redirects to nowhere`, HINT_AGAIN)
      if (next.protocol !== 'https:' && !(isPlain(url) && isPlain(next)))
        throw refused(
          `${url.host} redirects to ${next.protocol}//${next.host}, which is not encrypted`,
          HINT_HOSTILE,
        )
      url = next
    }
    throw refused(`${first.host} redirects more than ${MAX_REDIRECTS} times`, HINT_HOSTILE)
  }

  async #once(url: URL, from: number, abort: AbortController): Promise<Response> {
    this.#authorities ??= [...authorities(this.#env)]
    const options: BunFetchRequestInit = {
      // This machine is reached directly. The type lacks `false`; with undefined Bun takes the proxy of http_proxy.
      ...(isLoopback(url.hostname) ? { proxy: false as unknown as string } : {}),
      ...(url.protocol === 'https:' ? { tls: { ca: this.#authorities } } : {}),
      redirect: 'manual',
      decompress: false, // sizes and digests refer to the bytes as sent
      keepalive: false,
      signal: abort.signal,
      headers: {
        'user-agent': 'coop',
        'accept-encoding': 'identity',
        'cache-control': 'no-cache', // a cache on the way must not answer with the release of last week
        ...(from > 0 ? { range: `bytes=${from}-` } : {}),
      },
    }
    try {
      return await this.#within(fetch(url, options), this.#times.answerMs, 'no answer came')
    } catch (error) {
      abort.abort()
      throw error instanceof Temporary ? error : connectionError(url, error)
    }
  }
}

/** Plain HTTP is for this machine only. */
const isPlain = (url: URL): boolean => url.protocol === 'http:' && isLoopback(url.hostname)

/** Where the bytes of an answer belong. */
function startOf(response: Response, from: number): number {
  if (response.status !== 206) return 0
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (Number(start) !== from) throw new Temporary('the server continues at another place')
  return from
}

async function checkStatus(response: Response, url: URL, first: URL): Promise<Response> {
  const { status } = response
  if (status === 200 || status === 206) return response
  await response.body?.cancel()
  if (status === 404 || status === 410) throw new Missing(first)
  if (status === 408 || status === 416 || status === 429 || status >= 500)
    throw new Temporary(`${url.host} answered ${status}`)
  if (status === 407) throw proxyLogin()
  throw refused(`${url.host} answered ${status} for ${first.href}`, HINT_AGAIN)
}

const proxyLogin = (): CoopError =>
  refused('the proxy wants a login', 'put it into the address: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT')

const tooLong = (url: URL, size: number): CoopError =>
  refused(`${url.host} sends more of ${nameOf(url)} than its ${size} bytes`, HINT_HOSTILE)

const tooSlow = (url: URL, done: number): CoopError =>
  refused(`${url.host} is too slow: ${done} bytes of ${nameOf(url)} have come`, HINT_AGAIN)

const nameOf = (url: URL): string => url.pathname.split('/').at(-1) ?? ''

function wordOf(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return code || message
}

function connectionError(url: URL, error: unknown): Error {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  const text = `${code} ${message}`
  if (/CERT|certificate|SIGNATURE|SELF_SIGNED|ISSUER/i.test(text))
    return refused(
      `the certificate of ${url.host} is not trusted (${wordOf(error)})`,
      'if your network has its own authority, set NODE_EXTRA_CA_CERTS to the file of its certificate',
      error,
    )
  if (/Proxy/i.test(text))
    return /407|auth/i.test(text)
      ? proxyLogin()
      : refused(`the proxy does not work: ${message || code}`, 'check HTTPS_PROXY and ALL_PROXY', error)
  if (
    /ENOTFOUND|EAI_|getaddrinfo|DNS|ECONNREFUSED|ConnectionRefused|ENETUNREACH|EHOSTUNREACH|ENETDOWN/i.test(
      text,
    )
  )
    return refused(
      `${url.host} cannot be reached (${wordOf(error)}): offline, or the address is wrong`,
      'check the network, and HTTPS_PROXY if there is a proxy',
      error,
    )
  if (code === 'EPROTO')
    return refused(`${url.host} does not speak https`, 'check the address of the releases', error)
  return new Temporary(`the connection to ${url.host} broke off (${wordOf(error)})`, { cause: error })
}
