/** Connections to providers: encrypted, with a checked certificate, and kept for the next request. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const CONNECT_MS = 20_000
const IDLE_MS = 30_000 // providers keep theirs for longer, so that it is mostly this side that hangs up
const MAX_IDLE = 16 // for each provider

export interface Link {
  readonly socket: Socket
  /** It had a request before: the provider may have hung up just now. */
  readonly isReused: boolean
}

/** The provider could not be reached, or is not who it should be. */
export class NoLink extends Error {
  override readonly name = 'NoLink'
}

export class Links {
  readonly #authorities: () => readonly string[]
  readonly #idle = new Map<string, Map<Socket, () => void>>()
  #ca: string[] | undefined

  /** `authorities`: the texts of the certificates to trust. */
  constructor(authorities: () => readonly string[]) {
    this.#authorities = authorities
  }

  /** Takes a connection to the host of `url`, or makes one. Rejects with {@link NoLink}. */
  async to(url: URL, isFresh: boolean, signal: AbortSignal): Promise<Link> {
    const idle = this.#idle.get(url.origin)
    for (const [socket, release] of isFresh ? [] : [...(idle ?? [])].toReversed()) {
      release()
      if (!socket.destroyed && socket.writable) return { socket, isReused: true }
    }
    return { socket: await this.#connect(url, signal), isReused: false }
  }

  #connect(url: URL, signal: AbortSignal): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>()
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const isTls = url.protocol === 'https:'
    const port = Number(url.port) || (isTls ? 443 : 80)
    const isName = /[a-z]/i.test(host) && !host.includes(':')
    this.#ca ??= isTls ? [...this.#authorities()] : undefined
    const socket = isTls
      ? connectTls({
          host,
          port,
          ...(isName ? { servername: host } : {}),
          ...(this.#ca ? { ca: this.#ca } : {}),
          ALPNProtocols: ['http/1.1'],
          rejectUnauthorized: true,
        })
      : connect({ host, port })
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
      socket.destroy()
      const { code, message } = error as { code?: string; message?: string }
      reject(new NoLink(code ?? message ?? 'no connection'))
    }
    const gone = (): void => fail(new Error('the box hung up'))
    const timer = setTimeout(() => fail(new Error('it does not answer')), CONNECT_MS)
    signal.addEventListener('abort', gone)
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('it hung up')))
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
      if ('authorized' in socket && !socket.authorized) return fail(new Error('its certificate is not valid'))
      socket.removeAllListeners('error').removeAllListeners('close')
      socket.on('error', () => {}) // what follows an error is always `close`
      socket.setNoDelay(true)
      resolve(socket)
    })
    if (signal.aborted) gone()
    return promise
  }

  /** Keeps a connection for the next request. */
  keep(url: URL, socket: Socket): void {
    const idle = this.#idle.get(url.origin) ?? new Map<Socket, () => void>()
    if (idle.size >= MAX_IDLE || socket.destroyed) return void socket.destroy()
    this.#idle.set(url.origin, idle)
    const timer = setTimeout(() => socket.destroy(), IDLE_MS)
    timer.unref()
    // Bytes that nobody asked for would be taken for the next answer.
    const data = (): void => void socket.destroy()
    const release = (): void => {
      clearTimeout(timer)
      idle.delete(socket)
      socket.off('data', data)
      socket.off('close', release)
    }
    idle.set(socket, release)
    socket.on('data', data)
    socket.on('close', release)
    socket.resume()
  }

  close(): void {
    for (const idle of this.#idle.values()) for (const socket of [...idle.keys()]) socket.destroy()
  }
}
