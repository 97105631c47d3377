/** What boxes have used, and whether their budgets allow more. */
import type { BrokeredProvider } from '../config/broker-values.ts'
import type { Paths } from '../core/paths.ts'
import { type Account, type BrokerRecord, NO_USE, readBroker, writeBroker } from './record.ts'
import { costOf } from './terms/prices.ts'
import type { ProviderName } from './terms/providers.ts'
import type { Usage } from './usage.ts'

const WRITE_MS = 250 // between two writes; a daemon that is killed loses the requests of that time
const BYTES_PER_TOKEN = 4 // of text in English; for answers that were cut off before the provider said

export interface AccountOf {
  readonly box: string
  readonly created: number
  readonly provider: ProviderName
}

/** One request that the provider has accepted. */
export interface Spent {
  readonly usage: Usage | undefined
  readonly sentBytes: number
  readonly receivedBytes: number
}

export class Ledger {
  readonly #paths: Paths
  readonly #failed: (error: unknown) => void
  #record: BrokerRecord
  #timer: Timer | undefined

  /** Raises E_NEWER. */
  constructor(paths: Paths, failed: (error: unknown) => void) {
    this.#paths = paths
    this.#failed = failed
    this.#record = readBroker(paths)
  }

  get port(): number | undefined {
    return this.#record.port
  }

  setPort(port: number): void {
    if (port === this.#record.port) return
    this.#record = { ...this.#record, port }
    this.flush()
  }

  account({ box, created, provider }: AccountOf): Account {
    const found = this.#record.boxes[box]
    return (found?.created === created && found.providers[provider]) || NO_USE
  }

  #set(of: AccountOf, account: Account): void {
    const { boxes } = this.#record
    const before = boxes[of.box]
    const providers = before?.created === of.created ? before.providers : {}
    const now = { created: of.created, providers: { ...providers, [of.provider]: account } }
    this.#record = { ...this.#record, boxes: { ...boxes, [of.box]: now } }
    this.#timer ??= setTimeout(() => this.flush(), WRITE_MS)
  }

  /** Whether the budget allows one more request. */
  allows(of: AccountOf, { budget }: BrokeredProvider): boolean {
    const { cost, added } = this.account(of)
    return budget === null || cost < budget + added
  }

  /** Notes that a request was held back. Returns whether it is the first one. */
  pause(of: AccountOf): boolean {
    const account = this.account(of)
    if (account.paused !== undefined) return false
    this.#set(of, { ...account, paused: Date.now() })
    return true
  }

  /** Adds to the budget, and lets the box go on. */
  add(of: AccountOf, dollars: number): void {
    const { paused: _, ...account } = this.account(of)
    this.#set(of, { ...account, added: account.added + dollars })
    this.flush()
  }

  /** Counts a request; one that costs nothing without `spent`. */
  spend(of: AccountOf, provider: BrokeredProvider, spent: Spent | undefined): void {
    const account = this.account(of)
    if (!spent) return this.#set(of, { ...account, requests: account.requests + 1 })
    const { usage, sentBytes, receivedBytes } = spent
    const estimate = {
      input: Math.ceil(sentBytes / BYTES_PER_TOKEN),
      output: Math.ceil(receivedBytes / BYTES_PER_TOKEN),
      cached: 0,
      written: 0,
    }
    const reported = usage?.tokens
    // A box that hangs up before the report must not get its answers for nothing.
    const tokens = !reported
      ? estimate
      : usage.isWhole
        ? reported
        : {
            ...reported,
            input: reported.input + reported.cached + reported.written > 0 ? reported.input : estimate.input,
            output: Math.max(reported.output, estimate.output),
          }
    this.#set(of, {
      ...account,
      requests: account.requests + 1,
      input: account.input + tokens.input,
      output: account.output + tokens.output,
      cached: account.cached + tokens.cached,
      written: account.written + tokens.written,
      cost: account.cost + costOf(of.provider, usage?.model ?? '', tokens, provider.prices),
      estimated: account.estimated + (usage?.isWhole ? 0 : 1),
    })
  }

  forget(box: string): void {
    if (!this.#record.boxes[box]) return
    const { [box]: _, ...boxes } = this.#record.boxes
    this.#record = { ...this.#record, boxes }
    this.flush()
  }

  /** Forgets all boxes but these. */
  keepOnly(boxes: ReadonlySet<string>): void {
    for (const box of Object.keys(this.#record.boxes)) if (!boxes.has(box)) this.forget(box)
  }

  /** Writes what has changed. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      writeBroker(this.#paths, this.#record)
    } catch (error) {
      this.#failed(error)
    }
  }
}
