/**
 * The broker of keys: boxes ask it instead of a model's provider, with a token of their own, and it adds the key. What
 * listens and speaks HTTP is loaded when the first box needs it.
 */
import type { Box } from '../box/box.ts'
import { type BrokeredProvider, sourceText } from '../config/broker-values.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { authorities } from '../host/authorities.ts'
import type { BrokeredUse } from '../protocol/calls/broker.ts'
import type { GrantedBox } from './admit.ts'
import { Keys } from './keys.ts'
import { type AccountOf, Ledger } from './ledger.ts'
import type { Broker, Granted, Pause } from './plan/plan-broker.ts'
import { type Account, NO_USE } from './record.ts'
import { BadRequest } from './request-head.ts'
import type { BrokerServer, ServerHouse } from './server.ts'
import { PROVIDER_NAMES, PROVIDERS, type ProviderName } from './terms/providers.ts'

export interface BrokerHouse {
  readonly paths: Paths
  boxes(): readonly Box[]
  /** Places that boxes write. */
  writable(): readonly string[]
  log(event: string, fields?: Readonly<Record<string, unknown>>): void
}

export class KeyBroker implements Broker {
  readonly #house: BrokerHouse
  readonly #keys: Keys
  #ledger: Ledger | undefined
  #server: BrokerServer | undefined
  #opening: Promise<void> | undefined

  constructor(house: BrokerHouse) {
    this.#house = house
    const { runtimeDir } = house.paths
    this.#keys = new Keys({ runtimeDir, writable: house.writable, log: house.log })
  }

  get port(): number | undefined {
    return this.#server?.port
  }

  /** Raises E_NEWER. */
  get #accounts(): Ledger {
    const { paths, log } = this.#house
    this.#ledger ??= new Ledger(paths, (error) => log('broker-not-written', { error: String(error) }))
    return this.#ledger
  }

  get #granted(): readonly Box[] {
    return this.#house.boxes().filter(({ manifest }) => manifest.broker)
  }

  /** Takes up the work of the daemon before: boxes know its port. Never throws. */
  async resume(): Promise<void> {
    const names = new Set(this.#house.boxes().map(({ name }) => name))
    try {
      this.#keys.keepOnly(names)
      if (!this.#granted.length) return
      this.#accounts.keepOnly(names)
      await this.open()
    } catch (error) {
      this.#house.log('broker-closed', { error: error instanceof Error ? error.message : String(error) })
    }
  }

  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(): Promise<void> {
    if (this.#server) return
    const ledger = this.#accounts
    const [{ listen }, { Links }] = await Promise.all([import('./server.ts'), import('./links.ts')])
    const house = this.#serverHouse(ledger, new Links(() => authorities(process.env)))
    const { port = 0 } = ledger
    // Running boxes have the address in their environment, so that another port would be of no use to them.
    const isNeeded = port !== 0 && this.#granted.some((box) => box.running)
    this.#server = await listen(port, house).catch((error: unknown) => {
      if (port === 0 || isNeeded) throw cannotListen(error, port)
      return listen(0, house).catch((again: unknown) => {
        throw cannotListen(again, 0)
      })
    })
    ledger.setPort(this.#server.port)
    this.#house.log('broker', { port: this.#server.port })
  }

  #serverHouse(ledger: Ledger, links: ServerHouse['links']): ServerHouse {
    const { log } = this.#house
    return {
      links,
      log,
      boxes: () => this.#granted.filter((box) => box.running).map(grantedOf),
      mayAsk: ({ box, provider, terms }) => {
        const of = { box: box.name, created: box.created, provider }
        if (ledger.allows(of, terms)) return this.#goOn(of, ledger)
        if (ledger.pause(of)) this.#paused(box.name, provider)
        throw new BadRequest(402, this.#pauseText(box.name, provider))
      },
      key: ({ box, terms }) => this.#keys.keyOf(box.name, terms.key, box.path),
      over: ({ box, provider, terms, isBilled }, { status, usage, sentBytes, receivedBytes }) => {
        if (status === 401) this.#keys.refused(terms.key)
        if (status < 200 || status >= 300) return
        const of = { box: box.name, created: box.created, provider }
        ledger.spend(of, terms, isBilled ? { usage, sentBytes, receivedBytes } : undefined)
      },
    }
  }

  bring(box: string, keys: Readonly<Record<string, string>>): void {
    this.#keys.bring(box, keys)
  }

  /** The box is gone. */
  forget(box: string): void {
    this.#keys.forget(box)
    this.#ledger?.forget(box)
  }

  /** Writes what is not on disk yet. */
  flush(): void {
    this.#ledger?.flush()
  }

  /** The runtime folder was made anew. */
  reopen(): void {
    this.#keys.write()
  }

  #pauseText(box: string, provider: ProviderName): string {
    return `the budget for ${PROVIDERS[provider].title} is used up; more of it: coop budget ${box} --add 5`
  }

  #paused(name: string, provider: ProviderName): void {
    const box = this.#house.boxes().find((one) => one.name === name)
    this.#house.log('broker-paused', { box: name, provider })
    const text = this.#pauseText(name, provider)
    box?.does({ state: 'blocked', since: Date.now(), text, from: 'budget' })
  }

  /** Accounts that a newer coop wrote are no reason to list no boxes; the broker does not listen then. */
  #accountOf(of: AccountOf): Account {
    try {
      return this.#accounts.account(of)
    } catch {
      return NO_USE
    }
  }

  /** A person has given more, here or in the configuration. */
  #goOn(of: AccountOf, ledger: Ledger): void {
    if (ledger.account(of).paused === undefined) return
    ledger.add(of, 0)
    const box = this.#house.boxes().find(({ name }) => name === of.box)
    if (box?.manifest.doing?.from === 'budget') box.does(undefined)
  }

  #isPaused(of: AccountOf, terms: BrokeredProvider): boolean {
    return this.#accountOf(of).paused !== undefined && !this.#accounts.allows(of, terms)
  }

  /** Undefined if the box may go on. */
  pauseOf({ name, manifest: { created, broker } }: Granted): Pause | undefined {
    if (!broker) return undefined
    for (const provider of PROVIDER_NAMES) {
      const terms = broker.providers[provider]
      const of = { box: name, created, provider }
      const since = terms && this.#isPaused(of, terms) ? this.#accountOf(of).paused : undefined
      if (since !== undefined) return { since, text: this.#pauseText(name, provider) }
    }
    return undefined
  }

  /** What a box can use, and what it has used. Never a key. */
  usesOf({ name, manifest: { created, broker } }: Granted): readonly BrokeredUse[] {
    return PROVIDER_NAMES.flatMap((provider) => {
      const terms = broker?.providers[provider]
      if (!terms) return []
      const of = { box: name, created, provider }
      const { requests, input, output, cached, written, cost, estimated, added } = this.#accountOf(of)
      return [
        {
          provider,
          key: terms.key.from === 'command' ? 'command' : sourceText(terms.key),
          state: this.#stateOf(this.#isPaused(of, terms), this.#keys.has(name, terms.key)),
          ...(terms.url ? { url: terms.url } : {}),
          ...{ requests, input, output, cached, written, cost, estimated },
          ...(terms.budget === null ? {} : { budget: terms.budget + added }),
        },
      ]
    })
  }

  #stateOf(isPaused: boolean, hasKey: boolean): BrokeredUse['state'] {
    if (!this.#server) return 'closed'
    if (!hasKey) return 'no key'
    return isPaused ? 'paused' : 'ready'
  }

  /** Adds US dollars to budgets of a box, of one provider or of all that have one. Raises E_USAGE. */
  addTo(box: Box, dollars: number, only?: ProviderName): void {
    const { name, manifest } = box
    const meant = PROVIDER_NAMES.filter((provider) => {
      const budget = manifest.broker?.providers[provider]?.budget
      return budget !== undefined && budget !== null && (only === undefined || only === provider)
    })
    if (!meant.length)
      throw new CoopError('E_USAGE', `the box ${name} has no budget${only ? ` for ${only}` : ''}`, {
        hint: 'set one in ~/.config/coop/default.toml: [broker] anthropic = { key = "…", budget = 20.0 }',
      })
    for (const provider of meant)
      this.#accounts.add({ box: name, created: manifest.created, provider }, dollars)
    this.#house.log('broker-budget', { box: name, dollars, providers: meant })
    if (manifest.doing?.from === 'budget') box.does(undefined)
  }
}

function grantedOf({ name, manifest: { created, broker, caller } }: Box): GrantedBox {
  return { name, created, token: broker?.token ?? '', providers: broker?.providers ?? {}, path: caller?.path }
}

function cannotListen(error: unknown, port: number): CoopError {
  const where = `127.0.0.1${port ? ` port ${port}` : ''}`
  const why = errnoOf(error) === 'EADDRINUSE' ? 'another program has it' : (errnoOf(error) ?? String(error))
  return new CoopError('E_FAILED', `the broker cannot listen on ${where}: ${why}`, {
    hint: 'end that program (ss -ltnp); or stop the boxes that use the broker, and start them again: they get another port',
    cause: error,
  })
}
