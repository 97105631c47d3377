/**
 * One request to a registry, whatever the network does: redirects by hand, so that credentials stay with the host they
 * were meant for; retries with back-off; TLS with the user's own CAs; plain HTTP for this machine only.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { CoopError } from '../../core/errors.ts'

const ATTEMPTS = 6 // with the delays below some 15 s, which a registry that restarts takes
const REFUSED_ATTEMPTS = 4 // some 3 s: one that is not running at all is soon known
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 20_000 // also of Retry-After: nobody waits longer for a registry that says so
const MAX_REDIRECTS = 5
const CONNECT_MS = 30_000 // until the head of an answer is there
export const STALL_MS = 30_000 // without a byte a connection counts as dead

export interface HttpOptions {
  /** coop's configuration folder: `certs/HOST/ca.crt` is below it. */
  readonly configDir: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Told once of each reason for which something is tried again. */
  readonly onRetry?: (reason: string) => void
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly authorization?: string | undefined
  readonly body?: string
  /** The address was named by the one at this address: it cannot point at this machine unless it is there itself. */
  readonly namedBy?: string
}

const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt' // of Debian and its kin; has what an administrator added

/** A name for this machine (RFC 6761, 6.3). */
const isLocalName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost')

export function isLoopback(host: string): boolean {
  return isLocalName(host) || /^127\.\d+\.\d+\.\d+$/.test(host) || host === '[::1]' || host === '::1'
}

/**
 * Where to connect to, the likeliest first. Names of this machine are not looked up: where a name server answers for
 * them, what is sent in the clear would leave the machine.
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

/** A failure that another attempt may not have. */
export class Temporary extends Error {
  readonly delayMs: number | undefined
  constructor(message: string, delayMs?: number, cause?: unknown) {
    super(message, { cause })
    this.delayMs = delayMs
  }
}

/** Nobody listens there. */
class Refused extends Temporary {
  readonly hint: string
  constructor(url: URL, cause: unknown) {
    super(`${url.host} refuses the connection`, undefined, cause)
    this.hint = isLoopback(url.hostname)
      ? 'is the registry running, and at this port?'
      : 'is this the name of the registry, and does it speak https? Plain HTTP is for this machine only'
  }
}

export function registryError(sentence: string, hint: string, cause?: unknown): CoopError {
  return new CoopError('E_IMAGE', sentence, { hint, cause })
}

/** Milliseconds of a Retry-After (RFC 9110, 10.2.3), bounded. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_DELAY_MS)
}

export class Http {
  readonly #options: HttpOptions
  readonly #told = new Set<string>()
  readonly #authorities = new Map<string, string[] | undefined>()

  constructor(options: HttpOptions) {
    this.#options = options
  }

  /** Run `work` again while it fails for a time. */
  async retry<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof Temporary)) throw error
        const refused = error instanceof Refused ? error : undefined
        if (attempt >= (refused ? REFUSED_ATTEMPTS : ATTEMPTS))
          throw registryError(
            `${what} did not work: ${error.message} (tried ${attempt} times)`,
            refused?.hint ?? 'check the network and try again: what was downloaded is kept',
            error,
          )
        if (!this.#told.has(error.message)) this.#options.onRetry?.(error.message)
        this.#told.add(error.message)
        const delay = error.delayMs ?? Math.min(FIRST_DELAY_MS * 2 ** attempt, MAX_DELAY_MS)
        await Bun.sleep(delay * (0.75 + Math.random() / 2)) // not all clients at the same moment
      }
    }
  }

  /** The answer, redirects followed; its status may be any below 500 but 429. Raises Temporary, E_IMAGE. */
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
            `${first.host} sent us to ${url.host}, which wants credentials: it gets none`,
            'use the registry’s own name',
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
          `${first.host} sent us to ${url.host} with what was meant for itself: it gets none`,
          'use the registry’s own name',
        )
    }
    throw registryError(`${first.host} redirects more than ${MAX_REDIRECTS} times`, 'try again later')
  }

  #check(address: string, namedBy?: string): URL {
    const url = URL.parse(address)
    const from = namedBy === undefined ? undefined : URL.parse(namedBy)
    if (!url)
      throw registryError(
        `${JSON.stringify(address.slice(0, 200))} is no address`,
        'check the name of the image',
      )
    const plain = url.protocol === 'http:' && isLoopback(url.hostname) && (!from || isLoopback(from.hostname))
    if ((url.protocol !== 'https:' && !plain) || url.username || url.password)
      throw registryError(
        `${url.host || 'the address'} is not asked without encryption`,
        'only registries on this machine may use plain HTTP',
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
    // A proxy would read what goes to this machine in the clear, and it has another loopback. The type of the option
    // lacks `false`; with '' or undefined Bun goes by http_proxy (test/images/proxies.test.ts).
    const proxy = isLoopback(url.hostname) ? { proxy: false as unknown as string } : {}
    const options: BunFetchRequestInit = {
      ...proxy,
      method,
      redirect: 'manual',
      decompress: false, // sizes and digests are those of the bytes as they are sent
      headers: {
        'user-agent': 'coop',
        'accept-encoding': 'identity',
        host: url.host,
        ...headers,
        ...(authorization && same ? { authorization } : {}),
      },
      signal: abort.signal,
      keepalive: false, // a pooled connection that the registry has closed would look like one that broke
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

  /** Undefined: the ones that the runtime knows. */
  #authoritiesFor(host: string): string[] | undefined {
    if (this.#authorities.has(host)) return this.#authorities.get(host)
    const { configDir, environment } = this.#options
    const files = [join(configDir, 'certs', host, 'ca.crt'), join('/etc/docker/certs.d', host, 'ca.crt')]
    const own = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))
    const bundle = environment.SSL_CERT_FILE || (existsSync(SYSTEM_BUNDLE) ? SYSTEM_BUNDLE : undefined)
    const system = bundle ? [readFileSync(bundle, 'utf8')] : undefined
    const all = system || own.length ? [...(system ?? rootCertificates), ...own] : undefined
    this.#authorities.set(host, all)
    return all
  }
}

/** From the first of the addresses that somebody listens at. */
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
      `put the CA’s certificate at ~/.config/coop/certs/${url.host}/ca.crt`,
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
      'plain HTTP is for registries on this machine: put it behind TLS, or ssh -L 5000:localhost:5000 to it',
      error,
    )
  return new Temporary(`the connection to ${url.host} broke (${code || message})`, undefined, error)
}

/** All of a small body. Raises E_IMAGE when it is larger than `max`, Temporary when it breaks off. */
export async function readBody(response: Response, max: number, what: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of pieces(response, what)) {
    size += part.length
    if (size > max)
      throw registryError(
        `${what} is larger than ${max} bytes`,
        'the registry is broken or hostile: do not use it',
      )
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** A body as it comes. Raises Temporary when it breaks off or nothing comes. */
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
