/**
 * The page of this daemon: whether it is served, and for which client. Serving ends with that client, `coop serve` or the process that
 * `coop serve -d` leaves behind, which also has the next daemon serve it. The server itself is loaded when it is first
 * needed.
 */
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import type { Log } from '../engine/log.ts'
import type { BrowserInfo, ServingInfo } from '../protocol/calls/serving.ts'
import type { Request } from '../protocol/calls.ts'
import type { CoopEvent } from '../protocol/events.ts'
import type { Notice } from '../push/notice.ts'
import type { Pusher } from '../push/pusher.ts'
import type { Client, Handler } from '../session/client.ts'
import { Browsers } from './browsers.ts'
import { isLoopback } from './hosts.ts'
import type { PreviewSource } from './previews.ts'
import type { BrowserRecord } from './record.ts'
import { newSecret } from './secrets.ts'
import type { WebServer } from './server.ts'
import type { StoreFile } from './uploads.ts'

interface Served {
  readonly server: WebServer
  readonly pusher: Pusher
  readonly info: ServingInfo
  /** Tells the client that has it served why it has ended. */
  readonly ended: (reason: string) => void
}

export interface ServingHouse {
  readonly paths: Paths
  readonly log: Log
  readonly handler: Handler
  /** Stores a file of a browser in a box. */
  readonly store: StoreFile
  began(client: Client): void
  emit(event: CoopEvent): void
  /** What browsers are told of a box now; undefined if its agent does not wait. */
  noticeOf(box: string): Notice | undefined
  /** The boxes whose agents wait. */
  waiting(): readonly Notice[]
  readonly ports: PreviewSource
}

export class Serving {
  readonly #house: ServingHouse
  #browsers: Browsers | undefined
  #served: Served | undefined
  #isStarting = false

  constructor(house: ServingHouse) {
    this.#house = house
  }

  /** Read when it is first needed. Raises E_NEWER. */
  get browsers(): Browsers {
    if (!this.#browsers) {
      this.#browsers = new Browsers(this.#house.paths)
      this.#browsers.onRevoked((browser) => this.#tell(browser, 'signed-out'))
    }
    return this.#browsers
  }

  #tell({ id, name, address }: BrowserRecord, change: 'signed-in' | 'signed-out'): void {
    this.#house.emit({ event: 'browser', browser: id, name, address, change })
  }

  get status(): ServingInfo | null {
    return this.#served?.info ?? null
  }

  /** Whether the daemon must stay for it. */
  get isServed(): boolean {
    return this.#served !== undefined || this.#isStarting
  }

  /** `ended` is called when serving ends without the client. Raises E_FAILED when the page is served already, or cannot be. */
  async start(wanted: Request<'serve.start'>, ended: (reason: string) => void): Promise<ServingInfo> {
    if (this.#served || this.#isStarting) throw alreadyServed(this.#served?.info)
    const { host, port, readonly, environment } = wanted
    if (!wanted.tls && !isLoopback(host))
      throw new CoopError(
        'E_USAGE',
        `without encryption, everybody on the network of ${host} could read along`,
        {
          hint: 'add --tls; or serve to this machine alone: coop serve --host 127.0.0.1',
        },
      )
    this.#isStarting = true
    try {
      const { startServer } = await import('./server.ts')
      const tls = wanted.tls ? await this.#certificate() : undefined
      const token = wanted.token ?? newSecret()
      const { log, paths, handler, began, ports, store } = this.#house
      const house = {
        browsers: this.browsers,
        log,
        dataDir: paths.dataDir,
        configDir: paths.configDir,
        store,
        handler,
        began,
        ports,
        signedIn: (browser: BrowserRecord) => this.#tell(browser, 'signed-in'),
      }
      const server = await startServer({ host, port, tls, readonly, token, environment }, house)
      const about = { urls: server.urls, token, readonly, host, port }
      const info = tls ? { ...about, fingerprint: tls.fingerprint } : about
      this.#served = { server, pusher: await this.#startPusher(), info, ended }
      log('serve', { host, port, tls: tls !== undefined, readonly })
      return info
    } finally {
      this.#isStarting = false
    }
  }

  async #startPusher(): Promise<Pusher> {
    const { startPusher } = await import('../push/start.ts')
    const { log, noticeOf, waiting } = this.#house
    return startPusher({ store: this.browsers, log, noticeOf }, waiting())
  }

  /** Sends notices to browsers. Raises E_FAILED while no page is served. */
  get pusher(): Pusher {
    if (this.#served) return this.#served.pusher
    throw new CoopError('E_FAILED', 'no page is served', { hint: 'coop serve' })
  }

  /** The agent of a box begins to wait, waits for something else, or no longer waits. */
  changed(box: string): void {
    this.#served?.pusher.changed(box)
  }

  async #certificate(): Promise<{ cert: string; key: string; fingerprint: string }> {
    const { ownCertificate } = await import('./certificate.ts')
    return ownCertificate(this.#house.paths)
  }

  /** Ends serving, if it is served for this client or for whomever. Returns whether it was. */
  stop(reason: string, client?: (reason: string) => void): boolean {
    const served = this.#served
    if (!served || (client && client !== served.ended)) return false
    this.#served = undefined
    served.pusher.end()
    served.server.stop('stopped')
    this.#house.log('serve-end', { reason })
    if (!client) served.ended(reason)
    return true
  }

  listBrowsers(): readonly BrowserInfo[] {
    return this.browsers.list.map(({ id, name, readonly, address, created, seen }) => {
      return { id, name, readonly, address, created, seen, open: this.#served?.server.openPages(id) ?? 0 }
    })
  }
}

function alreadyServed(info: ServingInfo | undefined): CoopError {
  const where = info?.urls[0]
  return new CoopError('E_FAILED', `coop serves already${where === undefined ? '' : `, at ${where}`}`, {
    hint: 'end that first: coop serve --stop',
  })
}
