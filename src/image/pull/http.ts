/**
 * One request to a registry. It follows redirects by hand, so that credentials stay with their own host; retries with
 * back-off; trusts the user's own CAs for TLS; and allows plain HTTP only to this machine.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../../core/errors.ts'
import { authorities } from '../../host/authorities.ts'

const ATTEMPTS = 6 // with the delays below some 15 s, enough for a registry that restarts
const REFUSED_ATTEMPTS = 4 // some 3 s: a registry that does not run is reported soon
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 20_000 // also limits Retry-After: nobody waits longer for a registry
const MAX_REDIRECTS = 5
const CONNECT_MS = 30_000 // until the head of a response arrives
export const STALL_MS = 30_000 // without a byte a connection counts as dead

export interface HttpOptions {
  /** coop's configuration folder, which may contain `certs/HOST/ca.crt`. */
  readonly configDir: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Called once for each reason for a retry. */
  readonly onRetry?: (reason: string) => void
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly authorization?: string | undefined
  readonly body?: string
  /** The address that named this one, for example by a redirect. Only this machine may lead to this machine. */
  readonly namedBy?: string
}

/** Whether a name means this machine (RFC 6761, 6.3). */
const isLocalName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost')

export function isLoopback(host: string): boolean {
  return isLocalName(host) || /^127\.\d+\.\d+\.\d+$/.test(host) || host === '[::1]' || host === '::1'
}

/**
 * Addresses to connect to, the likeliest first. Names of this machine are not looked up: if a name server answered for
 * them, unencrypted requests would leave the machine.
 */
function addressesOf(url: URL): URL[] {
  if (url.protocol !== 'http:' || !isLocalName(url.hostname)) return [url]
  return ['127.0.0.1', '[::1]'].map((address) => {
    const at = new URL(url)
    at.hostname = address
    return at
  })
}

const isRefused = (error: unknown): boolean => {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return /ECONNREFUSED|ConnectionRefused/i.test(`${code} ${message}`)
}

/** A failure that may not happen again in another attempt. */
export class Temporary extends Error {
  readonly delayMs: number | undefined
  constructor(message: string, delayMs?: number, cause?: unknown) {
    super(message, { cause })
    this.delayMs = delayMs
  }
}

/** Nobody listens at the address. */
class Refused extends Temporary {
  readonly hint: string
  constructor(url: URL, cause: unknown) {
    super(`${url.host} refuses the connection`, undefined, cause)
    this.hint = isLoopback(url.hostname)
      ? 'check that the registry runs and uses this port'
      : 'check the name of the registry, and that it speaks https: plain HTTP is for this machine only'
  }
}

export function registryError(sentence: string, hint: string, cause?: unknown): CoopError {
  return new CoopError('E_IMAGE', sentence, { hint, cause })
}

/** Milliseconds in a Retry-After header (RFC 9110, 10.2.3), bounded. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_DELAY_MS)
}

export class Http {
  readonly #options: HttpOptions
  readonly #told = new Set<string>()
  readonly #authorities = new Map<string, readonly string[]>()

  constructor(options: HttpOptions) {
    this.#options = options
  }

  /** Run `work` again while it fails temporarily. */
  async retry<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof Temporary)) throw error
        const refused = error instanceof Refused ? error : undefined
        if (attempt >= (refused ? REFUSED_ATTEMPTS : ATTEMPTS))
          throw registryError(
            `${what} failed: ${error.message} (tried ${attempt} times)`,
            refused?.hint ?? 'check the network and try again: the part downloaded so far is kept',
            error,
          )
        if (!this.#told.has(error.message)) this.#options.onRetry?.(error.message)
        this.#told.add(error.message)
        const delay = error.delayMs ?? Math.min(FIRST_DELAY_MS * 2 ** attempt, MAX_DELAY_MS)
        await Bun.sleep(delay * (0.75 + Math.random() / 2)) // clients should not retry all at the same moment
      }
    }
  }

  /** The response after redirects; its status may be any below 500 except 429. Raises Temporary, E_IMAGE. */
  async fetch(address: string, request: HttpRequest = {}): Promise<Response> {
    let url = this.#check(address, request.namedBy)
    const first = url
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const same = url.origin === first.origin
      const response = await this.#once(url, request, same)
      if (![301, 302, 303, 307, 308].includes(response.status)) {
        if (response.status === 401 && !same) {
          await response.body?.cancel()
          throw registryError(
            `${first.host} redirects to ${url.host}, which wants credentials: it gets none`,
            'use the registry’s own name in the image’s name',
          )
        }
        return response
      }
      const location = response.headers.get('location')
      await response.body?.cancel()
      if (!location) throw registryError(`${url.host} redirects to nowhere`, 'try again later')
      url = this.#check(URL.parse(location, url.href)?.href ?? '', first.href)
      if (request.body !== undefined && url.origin !== first.origin)
        throw registryError(
          `${first.host} redirects a login to ${url.host}, another host: it gets none`,
          'use the registry’s own name in the image’s name',
        )
    }
    throw registryError(`${first.host} redirects more than ${MAX_REDIRECTS} times`, 'try again later')
  }

  #check(address: string, namedBy?: string): URL {
    const url = URL.parse(address)
    const from = namedBy === undefined ? undefined : URL.parse(namedBy)
    if (!url)
      throw registryError(
        `${JSON.stringify(address.slice(0, 200))} is not an address`,
        'check the name of the image',
      )
    const plain = url.protocol === 'http:' && isLoopback(url.hostname) && (!from || isLoopback(from.hostname))
    if ((url.protocol !== 'https:' && !plain) || url.username || url.password)
      throw registryError(
        `${url.host || 'the address'} may not be used without encryption`,
        'use https: only registries on this machine may use plain HTTP',
      )
    return url
  }

  async #once(
    url: URL,
    { method = 'GET', headers = {}, authorization, body }: HttpRequest,
    same: boolean,
  ): Promise<Response> {
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(new Error('no answer')), CONNECT_MS)
    const ca = url.protocol === 'https:' ? this.#authoritiesFor(url.host) : undefined
    // No proxy for this machine: it would read unencrypted requests, and it has another loopback. The type of the
    // option lacks `false`; with '' or undefined Bun uses http_proxy (test/images/proxies.test.ts).
    const proxy = isLoopback(url.hostname) ? { proxy: false as unknown as string } : {}
    const options: BunFetchRequestInit = {
      ...proxy,
      method,
      redirect: 'manual',
      decompress: false, // sizes and digests refer to the bytes as sent
      headers: {
        'user-agent': 'coop',
        'accept-encoding': 'identity',
        host: url.host,
        ...headers,
        ...(authorization && same ? { authorization } : {}),
      },
      signal: abort.signal,
      keepalive: false, // a pooled connection that the registry has closed would look broken
      ...(body === undefined ? {} : { body }),
      ...(ca ? { tls: { ca } } : {}),
    }
    let response: Response
    try {
      response = await fetchFirst(addressesOf(url), options)
    } catch (error) {
      throw connectionError(url, error)
    } finally {
      clearTimeout(timer)
    }
    if (response.status !== 429 && response.status < 500) return response
    await response.body?.cancel()
    throw new Temporary(
      `${url.host} answered ${response.status}`,
      retryAfter(response.headers.get('retry-after')),
    )
  }

  #authoritiesFor(host: string): string[] {
    const known = this.#authorities.get(host)
    if (known) return [...known]
    const { configDir, environment } = this.#options
    const files = [join(configDir, 'certs', host, 'ca.crt'), join('/etc/docker/certs.d', host, 'ca.crt')]
    const own = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))
    const all = [...authorities(environment), ...own]
    this.#authorities.set(host, all)
    return all
  }
}

/** Connects to the first address at which somebody listens. */
async function fetchFirst(
  [address, ...others]: readonly URL[],
  options: BunFetchRequestInit,
): Promise<Response> {
  if (!address) throw new Error('no address')
  try {
    return await fetch(address, options)
  } catch (error) {
    if (!others.length || !isRefused(error)) throw error
    return fetchFirst(others, options)
  }
}

function connectionError(url: URL, error: unknown): Error {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  const text = `${code} ${message}`
  if (/CERT|certificate|SIGNATURE|SELF_SIGNED|ISSUER/i.test(text))
    return registryError(
      `the certificate of ${url.host} is not trusted (${code || message})`,
      `put the CA’s certificate into ~/.config/coop/certs/${url.host}/ca.crt`,
      error,
    )
  if (/ENOTFOUND|EAI_|getaddrinfo|DNS/i.test(text))
    return registryError(
      `the registry ${url.hostname} cannot be found`,
      'check the name of the image and the network',
      error,
    )
  if (isRefused(error)) return new Refused(url, error)
  if (code === 'EPROTO')
    return registryError(
      `${url.host} does not speak https`,
      'put it behind TLS, or forward it with ssh -L 5000:localhost:5000: plain HTTP is for registries on this machine',
      error,
    )
  return new Temporary(`the connection to ${url.host} broke (${code || message})`, undefined, error)
}

/** A small body, complete. Raises E_IMAGE if it is larger than `max`, Temporary if it breaks off. */
export async function readBody(response: Response, max: number, what: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of pieces(response, what)) {
    size += part.length
    if (size > max)
      throw registryError(
        `${what} is larger than ${max} bytes`,
        'do not use this registry: it is broken or hostile',
      )
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** A body, piece by piece. Raises Temporary if it breaks off or stalls. */
export async function* pieces(response: Response, what: string): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return
  try {
    for (;;) {
      let timer: Timer | undefined
      const stall = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Temporary(`${what} stopped coming`)), STALL_MS)
      })
      try {
        const { done, value } = await Promise.race([reader.read(), stall])
        if (done) return
        yield value
      } finally {
        clearTimeout(timer)
      }
    }
  } catch (error) {
    throw error instanceof Error && (error instanceof Temporary || error instanceof CoopError)
      ? error
      : new Temporary(`${what} broke off`, undefined, error)
  } finally {
    await reader.cancel().catch(() => {})
  }
}
