/**
 * A real browser: Debian's Chromium, which can reach only the server under test. A request to any other place, an error
 * on the console and an uncaught exception of the page each fail the test.
 *
 *     await using chromium = await Chromium.start()
 *     await using visitor = await chromium.visit(origin, { device: 'phone', scheme: 'dark' })
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

/** Debian's own path of it. */
export const PROGRAM = '/usr/bin/chromium'

const LIMIT_MS = 15_000 // for one step of a page on a busy machine
// Nothing but this machine has an address, also for what the browser itself would ask for.
const PLACES = 'MAP localhost 127.0.0.1, MAP *.localhost 127.0.0.1, MAP 127.0.0.1 127.0.0.1, MAP * ~NOTFOUND'
const FLAGS = [
  '--disable-dev-shm-usage', // /dev/shm is small in containers
  '--font-render-hinting=none',
]

const DEVICES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
} as const

export interface Visit {
  readonly device?: keyof typeof DEVICES
  readonly scheme?: 'dark' | 'light'
  /** Granted to the page's origin; all others are refused. */
  readonly permissions?: readonly string[]
  /** `context.storageState()` of an earlier visit, whose browser this is again. */
  readonly state?: Awaited<ReturnType<BrowserContext['storageState']>>
  readonly viewport?: { readonly width: number; readonly height: number }
  /** Certificates that nobody signed are accepted, as after a person's click. */
  readonly insecure?: boolean
}

export class Chromium implements AsyncDisposable {
  readonly browser: Browser
  readonly #home: string

  private constructor(browser: Browser, home: string) {
    this.browser = browser
    this.#home = home
  }

  /** `rules` lead some addresses elsewhere (`--host-resolver-rules`). */
  static async start(...rules: readonly string[]): Promise<Chromium> {
    const home = mkdtempSync(join(tmpdir(), 'coop-chromium-'))
    try {
      const browser = await chromium.launch({
        executablePath: PROGRAM,
        // Chromium's own sandbox refuses to work for root.
        args: [
          ...FLAGS,
          `--host-resolver-rules=${[...rules, PLACES].join(', ')}`,
          ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        ],
        env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8' },
        timeout: 2 * LIMIT_MS,
      })
      return new Chromium(browser, home)
    } catch (error) {
      rmSync(home, { recursive: true, force: true })
      throw error
    }
  }

  /** Opens an empty page of a new person, who may only go to `origin` and the previews below it. */
  async visit(origin: string, visit: Visit = {}): Promise<Visitor> {
    const { device = 'desktop', scheme = 'dark', permissions = [], state, viewport, insecure = false } = visit
    const context = await this.browser.newContext({
      ...DEVICES[device],
      ...(viewport ? { viewport } : {}),
      colorScheme: scheme,
      ignoreHTTPSErrors: insecure,
      ...(state ? { storageState: state } : {}),
    })
    if (permissions.length) await context.grantPermissions([...permissions], { origin })
    context.setDefaultTimeout(LIMIT_MS)
    return new Visitor(context, await context.newPage(), new URL(origin))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
    rmSync(this.#home, { recursive: true, force: true })
  }
}

export class Visitor implements AsyncDisposable {
  readonly context: BrowserContext
  readonly page: Page
  /** What went wrong so far. The end of the visit raises it. */
  readonly faults: string[] = []
  /** URLs of all requests and WebSockets. */
  readonly requests: string[] = []
  #expected: RegExp[] = []

  constructor(context: BrowserContext, page: Page, origin: URL) {
    this.context = context
    this.page = page
    const isOurs = (text: string): boolean => {
      const url = new URL(text)
      if (['data:', 'blob:', 'about:'].includes(url.protocol)) return true
      const isHost = url.hostname === origin.hostname || url.hostname.endsWith('.localhost')
      return isHost && url.port === origin.port
    }
    const asked = (url: string): void => {
      this.requests.push(url)
      if (!isOurs(url)) this.faults.push(`a request to ${url}`)
    }
    context.on('request', (request) => asked(request.url()))
    context.on('weberror', (error) => this.#fault(`an uncaught ${error.error().stack ?? error.error()}`))
    context.on('console', (message) => {
      if (message.type() === 'error')
        this.#fault(`on the console: ${message.text()} ${message.location().url}`)
    })
    const watch = (shown: Page): void => {
      shown.on('websocket', (socket) => asked(socket.url()))
      shown.on('crash', () => this.faults.push('the page crashed'))
    }
    context.on('page', watch)
    watch(page)
  }

  /** From now on these errors are part of the test, for example those of a server that is away. */
  expect(...errors: RegExp[]): void {
    this.#expected.push(...errors)
  }

  #fault(text: string): void {
    if (!this.#expected.some((pattern) => pattern.test(text))) this.faults.push(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close()
    if (this.faults.length) throw new Error(`The browser saw faults:\n${this.faults.join('\n')}`)
  }
}
