/** What a box gets in the place of the keys that `[broker]` keeps outside of it. */

import type { BrokeredProvider } from '../../config/broker-values.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { placeOf } from '../../config/place.ts'
import type { BrokeredUse } from '../../protocol/calls/broker.ts'
import { proxiesOf } from '../../sandbox/environment.ts'
import type { Manifest } from '../../store/manifest.ts'
import { type Grant, newToken } from '../terms/grant.ts'
import { PROVIDER_NAMES, PROVIDERS, type ProviderName } from '../terms/providers.ts'

/** What is known of the broker when a box is planned. */
export interface Seat {
  /** The port on 127.0.0.1; undefined while the broker does not listen yet. */
  readonly port: number | undefined
  /** The token that the box has already. */
  readonly token?: string | undefined
}

/** A box, as far as the broker looks at it. */
export interface Granted {
  readonly name: string
  readonly manifest: Manifest
}

/** A box waits, because it has used up a budget. */
export interface Pause {
  /** Milliseconds since 1970. */
  readonly since: number
  readonly text: string
}

/** The broker as boxes need it. */
export interface Broker {
  readonly port: number | undefined
  /** Has it listen. Raises E_FAILED. */
  open(): Promise<void>
  /** Takes over keys of a caller's environment, by the names of their variables. */
  bring(box: string, keys: Readonly<Record<string, string>>): void
  /** The pause of a box that has used up a budget. */
  pauseOf(box: Granted): Pause | undefined
  /** What a box can use, and what it has used. */
  usesOf(box: Granted): readonly BrokeredUse[]
}

export interface PlannedBroker {
  /** `[env]` as the box gets it. */
  readonly env: Readonly<Record<string, string>>
  /** Addresses of the broker by provider; none if the box has no use of it. */
  readonly urls: Readonly<Partial<Record<ProviderName, string>>>
  readonly grant?: Grant
  /** Keys from the caller's environment, by the names of their variables. */
  readonly keys: Readonly<Record<string, string>>
  /** The broker has to listen before the box is made. */
  readonly isMissing: boolean
  readonly warnings: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** Pure but for the token of a new box. */
export function planBroker(
  { config, origins, references }: LoadedConfig,
  caller: Environment,
  seat: Seat | undefined,
): PlannedBroker {
  const served = PROVIDER_NAMES.flatMap((name) => {
    const provider = config.broker[name]
    return provider ? [[name, provider] as const] : []
  })
  const isOff = config.network.mode !== 'host'
  const none = { env: config.env, urls: {}, keys: {}, isMissing: false, warnings: [] }
  if (!served.length) return none
  const warnings: string[] = []
  const keys: Record<string, string> = {}
  for (const [name, { key }] of served) {
    if (key.from !== 'env') continue
    const value = caller[key.name]
    if (value) keys[key.name] = value
    else
      warnings.push(
        `${placeOf(origins, `broker.${name}`)}${key.name} is not set on this machine, so ${PROVIDERS[name].title} has no key yet; set it, and then: coop restart`,
      )
  }
  const { env, dropped } = withoutKeys(config.env, references, served, keys)
  for (const name of dropped)
    warnings.push(
      `${placeOf(origins, `env.${name}`)}the box does not get ${name}, because [broker] keeps that key outside`,
    )
  if (isOff) {
    const titles = served.map(([name]) => PROVIDERS[name].title).join(', ')
    const off = `the broker is off in this box, because its network mode is "${config.network.mode}": it cannot reach ${titles}`
    return { ...none, env, warnings: [...warnings, off] }
  }
  const token = seat?.token ?? newToken()
  const urls: Partial<Record<ProviderName, string>> = {}
  const given: Record<string, string> = {}
  for (const [name] of served) {
    const { prefix, keyVariable, urlVariable } = PROVIDERS[name]
    const url = `http://127.0.0.1:${seat?.port ?? 0}${prefix}`
    urls[name] = url
    given[urlVariable] = url
    given[keyVariable] = token
  }
  return {
    env: { ...env, ...given, ...pastProxies(env, caller) },
    urls,
    grant: { token, providers: Object.fromEntries(served) },
    keys,
    isMissing: seat?.port === undefined,
    warnings,
  }
}

/** Takes out variables that would bring a key of a served provider into the box, or lead its agent elsewhere. */
function withoutKeys(
  env: Readonly<Record<string, string>>,
  references: LoadedConfig['references'],
  served: readonly (readonly [ProviderName, BrokeredProvider])[],
  keys: Readonly<Record<string, string>>,
): { readonly env: Readonly<Record<string, string>>; readonly dropped: readonly string[] } {
  const names = served.flatMap(([name, { key }]) => {
    const { keyVariable, urlVariable, otherVariables } = PROVIDERS[name]
    return [keyVariable, urlVariable, ...otherVariables, ...(key.from === 'env' ? [key.name] : [])]
  })
  const secret = Object.values(keys)
  const isKey = (name: string, value: string): boolean =>
    names.includes(name) ||
    names.includes(references.get(name)?.slice(1) ?? '') ||
    secret.some((one) => value.includes(one))
  const entries = Object.entries(env)
  return {
    env: Object.fromEntries(entries.filter(([name, value]) => !isKey(name, value))),
    dropped: entries.flatMap(([name, value]) => (isKey(name, value) ? [name] : [])),
  }
}

/** A proxy would be asked for its own 127.0.0.1. */
function pastProxies(env: Readonly<Record<string, string>>, caller: Environment): Record<string, string> {
  const all = { ...proxiesOf(caller).given, ...env }
  if (!Object.keys(all).some((name) => /^(?:https?|all)_proxy$/i.test(name))) return {}
  const before = all.no_proxy ?? all.NO_PROXY
  const value = before ? `${before},127.0.0.1` : '127.0.0.1'
  return { no_proxy: value, NO_PROXY: value }
}
