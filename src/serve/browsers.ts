/**
 * The browsers that are signed in. Each has two secrets. Its cookie is out of reach for scripts, but browsers send it to every
 * port of the host, and a program in a box may listen on one. The key is in the storage of the page's own origin, which
 * other ports do not see. Only both together open anything.
 */
import type { Paths } from '../core/paths.ts'
import type { PushSubscription } from '../protocol/calls/push.ts'
import type { PushStore, VapidKeys } from '../push/pusher.ts'
import { diskError } from '../store/storage.ts'
import { type BrowserRecord, readServing, type ServingRecord, writeServing } from './record.ts'
import { hasHash, hashOf, newId, newSecret } from './secrets.ts'

export const SIGNED_IN_S = 90 * 24 * 3600 // since the last visit
const MAX_BROWSERS = 64 // then the one that was not here for the longest time is signed out
const MAX_FOLDERS = 30
const NOTE_MS = 3600_000 // how often a visit is written to disk

/** What a browser that signs in gets. */
export interface Credentials {
  readonly cookie: string
  readonly key: string
}

export class Browsers implements PushStore {
  readonly #paths: Paths
  readonly #now: () => number
  #record: ServingRecord
  readonly #revoked = new Set<(browser: BrowserRecord) => void>()

  constructor(paths: Paths, now: () => number = Date.now) {
    this.#paths = paths
    this.#now = now
    this.#record = readServing(paths)
  }

  get list(): readonly BrowserRecord[] {
    return this.#record.browsers.filter((browser) => this.#isCurrent(browser))
  }

  /** Folders in which browsers made boxes, the latest first. */
  get folders(): ServingRecord['folders'] {
    return this.#record.folders
  }

  /** Called with each browser that is signed out. Returns the function that takes that back. */
  onRevoked(tell: (browser: BrowserRecord) => void): () => void {
    this.#revoked.add(tell)
    return () => this.#revoked.delete(tell)
  }

  /** Signs a browser in. Raises E_DISK_FULL and its like: a browser that would be forgotten is not signed in. */
  signIn(about: { readonly name: string; readonly address: string; readonly readonly: boolean }): {
    readonly browser: BrowserRecord
    readonly credentials: Credentials
  } {
    const credentials = { cookie: newSecret(), key: newSecret() }
    const now = this.#now()
    const browser: BrowserRecord = {
      id: newId(),
      ...about,
      created: now,
      seen: now,
      cookie: hashOf(credentials.cookie),
      key: hashOf(credentials.key),
    }
    const others = this.list.toSorted((one, other) => other.seen - one.seen)
    const kept = others.slice(0, MAX_BROWSERS - 1)
    this.#write({ ...this.#record, browsers: [browser, ...kept] })
    for (const old of others.slice(MAX_BROWSERS - 1)) this.#tellRevoked(old)
    return { browser, credentials }
  }

  /** Returns the browser that has both secrets. */
  find({ cookie, key }: Partial<Credentials>): BrowserRecord | undefined {
    if (!cookie || !key) return undefined
    // All are compared, each in constant time.
    const found = this.list.filter((one) =>
      [hasHash(cookie, one.cookie), hasHash(key, one.key)].every(Boolean),
    )
    return found[0]
  }

  /** Whether a browser is signed in still. */
  has(id: string): boolean {
    return this.list.some((browser) => browser.id === id)
  }

  /** Notes that a browser is here. */
  visited(id: string, address: string): void {
    const now = this.#now()
    const before = this.#record.browsers.find((browser) => browser.id === id)
    if (!before || (now - before.seen < NOTE_MS && before.address === address)) return
    const browsers = this.#record.browsers.map((one) =>
      one.id === id ? { ...one, seen: now, address } : one,
    )
    try {
      this.#write({ ...this.#record, browsers })
    } catch {
      // Only the time of the visit is lost.
    }
  }

  /** Signs browsers out, all of them without an id. Returns how many. Raises E_DISK_FULL and its like. */
  revoke(id?: string): number {
    const gone = this.#record.browsers.filter((browser) => id === undefined || browser.id === id)
    if (!gone.length) return 0
    // Those that are signed out must never come back: first on disk, then the open pages.
    this.#write({ ...this.#record, browsers: this.#record.browsers.filter((one) => !gone.includes(one)) })
    for (const browser of gone) this.#tellRevoked(browser)
    return gone.length
  }

  /** Remembers a folder for the next new box. */
  choseFolder(path: string): void {
    const others = this.#record.folders.filter((folder) => folder.path !== path)
    const folders = [{ path, used: this.#now() }, ...others].slice(0, MAX_FOLDERS)
    try {
      this.#write({ ...this.#record, folders })
    } catch {
      // Only a convenience is lost.
    }
  }

  get vapid(): VapidKeys | undefined {
    return this.#record.vapid
  }

  /** Raises E_DISK_FULL and its like. */
  setVapid(vapid: VapidKeys): void {
    this.#write({ ...this.#record, vapid })
  }

  /** Where notices go, by the browser's id. */
  get subscriptions(): ReadonlyMap<string, PushSubscription> {
    return new Map(this.list.flatMap(({ id, push }) => (push ? [[id, push] as const] : [])))
  }

  /** Raises E_DISK_FULL and its like. Without a subscription, the browser gets no more notices. */
  setSubscription(id: string, push: PushSubscription | undefined): void {
    const browsers = this.#record.browsers.map((browser) => {
      const { push: before, ...others } = browser
      // A browser whose profile was copied, or that signed in anew, must not get everything twice.
      const isTheirs = push !== undefined && before?.endpoint === push.endpoint
      if (browser.id === id) return push ? { ...others, push } : others
      return isTheirs ? others : browser
    })
    this.#write({ ...this.#record, browsers })
  }

  #isCurrent({ seen }: BrowserRecord): boolean {
    return this.#now() - seen < SIGNED_IN_S * 1000
  }

  #write(record: ServingRecord): void {
    try {
      writeServing(this.#paths, record)
    } catch (error) {
      throw diskError(error, 'the data folder of coop')
    }
    this.#record = record
  }

  #tellRevoked(browser: BrowserRecord): void {
    for (const tell of [...this.#revoked]) tell(browser)
  }
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

/** A name for people from a User-Agent, which may say anything: only known words come out. */
export function nameOf(userAgent: string): string {
  const first = (list: typeof BROWSERS): string | undefined =>
    list.find(([pattern]) => pattern.test(userAgent))?.[1]
  return `${first(BROWSERS) ?? 'a browser'} on ${first(SYSTEMS) ?? 'an unknown system'}`
}
