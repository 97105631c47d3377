/** A repository of a registry: OCI distribution specification 1.1, Docker registry API v2 and its token authentication. */
import type { CoopError } from '../../core/errors.ts'
import { MAX_JSON, maybeObject, maybeText } from '../json.ts'
import type { RegistryReference } from '../reference.ts'
import { type Credentials, type Environment, findCredentials } from './credentials.ts'
import { Http, type HttpRequest, isLoopback, readBody, registryError } from './http.ts'
import { MANIFEST_TYPES } from './manifest.ts'

const MAX_TOKEN_ANSWER = 1 << 20 // bytes
const HUB_API = 'registry-1.docker.io' // docker.io itself is a web site

interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

/** The first known challenge in WWW-Authenticate (RFC 9110, 11.6.1). */
export function parseChallenge(header: string | null): Challenge | undefined {
  const match = /(?:^|,\s*)(Bearer|Basic)(?:\s+|$)(.*)$/is.exec(header ?? '')
  if (!match) return undefined
  const parameters: Record<string, string> = Object.create(null)
  for (const [, key, quoted, bare] of (match[2] ?? '').matchAll(
    /([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi,
  ))
    parameters[(key ?? '').toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''
  return { scheme: (match[1] ?? '').toLowerCase(), parameters }
}

export interface RegistryOptions {
  readonly configDir: string
  readonly environment: Environment
  readonly home: string
  /** Folders in which boxes write; no program is taken from there. */
  readonly writable?: readonly string[]
  readonly onRetry?: (reason: string) => void
}

export class Registry {
  readonly http: Http
  readonly #reference: RegistryReference
  readonly #options: RegistryOptions
  #credentials: Promise<Credentials | undefined> | undefined
  #authorization: string | undefined

  constructor(reference: RegistryReference, options: RegistryOptions) {
    this.#reference = reference
    this.#options = options
    this.http = new Http(options)
  }

  get name(): string {
    return this.#reference.registry
  }

  #url(path: string): string {
    const { registry, repository } = this.#reference
    const host = registry === 'docker.io' ? HUB_API : registry
    const scheme = isLoopback(host.replace(/:\d+$/, '')) && !this.#hasCertificate ? 'http' : 'https'
    return `${scheme}://${host}/v2/${repository}/${path}`
  }

  /** Set once a registry on this machine turned out to speak TLS. */
  #hasCertificate = false

  /** A response of the repository; sends credentials if it asks for them. */
  async #get(path: string, headers: HttpRequest['headers'] = {}): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.http.fetch(this.#url(path), { headers, authorization: this.#authorization })
      // Go's TLS server answers plain HTTP with status 400 and a text about it.
      if (response.status === 400 && !this.#hasCertificate && this.#url('').startsWith('http:')) {
        this.#hasCertificate = true
        await response.body?.cancel()
        continue
      }
      if (response.status !== 401) return response
      await response.body?.cancel()
      if (attempt >= 2) throw await this.#denied(401)
      await this.#authorize(response.headers.get('www-authenticate'))
    }
  }

  async #denied(status: number): Promise<CoopError> {
    const { registry, repository } = this.#reference
    const known = await this.#login()
    return registryError(
      known
        ? `${registry} does not let this login read ${repository} (${status})`
        : `${registry} wants a login for ${repository}, or has no such image`,
      `log in with docker login ${registry}, podman login or skopeo login, and check the name of the image`,
    )
  }

  #login(): Promise<Credentials | undefined> {
    const { registry, repository } = this.#reference
    const { environment, home, writable } = this.#options
    this.#credentials ??= findCredentials(registry, repository, environment, home, writable)
    return this.#credentials
  }

  async #authorize(header: string | null): Promise<void> {
    const challenge = parseChallenge(header)
    const credentials = await this.#login()
    if (challenge?.scheme === 'bearer') {
      this.#authorization = `Bearer ${await this.#token(challenge.parameters, credentials)}`
      return
    }
    if (challenge?.scheme !== 'basic')
      throw registryError(
        `${this.name} wants a kind of login that coop does not know`,
        'use a registry with basic or token authentication',
      )
    if (credentials?.kind !== 'password') throw await this.#denied(401)
    this.#authorization = basic(credentials)
  }

  /** Docker registry token authentication; with an identity token it uses OAuth2. */
  async #token(
    parameters: Readonly<Record<string, string>>,
    credentials: Credentials | undefined,
  ): Promise<string> {
    const { realm = '', service } = parameters
    const scope = `repository:${this.#reference.repository}:pull`
    const url = URL.parse(realm)
    if (!url) throw registryError(`${this.name} names no token service`, 'try again later')
    let request: HttpRequest = {
      authorization: credentials?.kind === 'password' ? basic(credentials) : undefined,
    }
    if (credentials?.kind === 'identity') {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: credentials.token,
        scope,
        client_id: 'coop',
      })
      if (service) form.set('service', service)
      request = {
        method: 'POST',
        body: form.toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }
    } else {
      if (service) url.searchParams.set('service', service)
      url.searchParams.set('scope', scope)
    }
    const response = await this.http.fetch(url.href, { ...request, namedBy: this.#url('') })
    const body = await readBody(response, MAX_TOKEN_ANSWER, 'the answer of the token service')
    if (response.status === 401 || response.status === 403) throw await this.#denied(response.status)
    if (!response.ok)
      throw registryError(`the token service ${url.host} answered ${response.status}`, 'try again later')
    let answer: Readonly<Record<string, unknown>> = {}
    try {
      answer = maybeObject(JSON.parse(body.toString('utf8')))
    } catch {
      // The body is not JSON and so has no token, as below.
    }
    const token = maybeText(answer.token) ?? maybeText(answer.access_token)
    if (!token || !/^[\x21-\x7e]+$/.test(token))
      throw registryError(`the token service ${url.host} gave no token`, 'try again later')
    return token
  }

  #notFound(what: string, status: number): CoopError {
    const { registry, repository } = this.#reference
    if (status === 404)
      return registryError(
        `${registry} has no ${what} of ${repository}`,
        'check the name and the tag of the image',
      )
    return registryError(`${registry} answered ${status} for ${what} of ${repository}`, 'try again later')
  }

  /** A manifest or index as raw bytes, by tag or digest. The caller compares it with a digest. */
  manifest(which: string): Promise<Buffer> {
    return this.http.retry(`reading ${this.#reference.repository} from ${this.name}`, async () => {
      const response = await this.#get(`manifests/${which}`, { accept: MANIFEST_TYPES.join(', ') })
      if (response.status === 403) throw await this.#denied(403)
      if (!response.ok) {
        await response.body?.cancel()
        throw this.#notFound(which, response.status)
      }
      return await readBody(response, MAX_JSON, 'the manifest')
    })
  }

  /** A blob from a given byte on; status 200 instead of 206 means that it starts at the first byte after all. */
  async blob(digest: string, from: number): Promise<Response> {
    const response = await this.#get(`blobs/${digest}`, from ? { range: `bytes=${from}-` } : {})
    if (response.status === 200 || response.status === 206 || response.status === 416) return response
    await response.body?.cancel()
    throw this.#notFound(`layer ${digest.slice(0, 19)}`, response.status)
  }
}

function basic({ user, password }: { user: string; password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
