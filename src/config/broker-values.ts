/** The values of `[broker]`: where a provider's key is, and what boxes may spend. Keys themselves are never in the file. */
import { nearest } from '../core/nearest.ts'
import type { TomlValue } from './toml.ts'
import { BadValue, type Kind } from './values.ts'

/** Where the key of a provider comes from. The user's own file alone names it. */
export type KeySource =
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'command'; readonly command: string }

/** US dollars for a million tokens: input, output, input that was cached, input that is written to the cache. */
export type Price = readonly [input: number, output: number, cached?: number, written?: number]

export interface BrokeredProvider {
  readonly key: KeySource
  /** The address of its API; "" means the provider's own. */
  readonly url: string
  /** US dollars that one box may spend; null means no limit. */
  readonly budget: number | null
  /** By the beginning of a model's name; stronger than coop's own. */
  readonly prices: Readonly<Record<string, Price>>
}

const EXPECTED = 'a table such as { key = "env:NAME" }, or "" for none'
const KEY =
  '"env:NAME", "file:PATH" (from "/" or "~/") or "command:COMMAND"; the key itself does not belong here'
const URL_RULE = 'an address that begins with https:// and has neither user name, query nor fragment'
const BUDGET = 'an amount of US dollars above 0, such as 5.0'
const PRICES = 'a table such as { "model-name" = [1.25, 10.0] }: US dollars for a million tokens in and out'
const KEYS = ['key', 'url', 'budget', 'prices'] as const
const MAX_PRICES = 200

const CONTROL = /[\0-\x1f\x7f]/

/** One provider of `[broker]`; null if the broker does not serve it. */
export const brokeredProvider: Kind<BrokeredProvider | null> = {
  expected: EXPECTED,
  show: (value) => (value === null ? '' : shown(value)),
  read: (value) => {
    if (value === '') return null
    const table = tableOf(value, EXPECTED)
    for (const name of Object.keys(table))
      if (!KEYS.some((known) => known === name))
        throw new BadValue(`a table with the keys ${KEYS.join(', ')}`, value, {
          at: `.${name}`,
          near: nearest(name, KEYS),
        })
    return {
      key: readKey(table.key),
      url: table.url === undefined ? '' : readUrl(table.url),
      budget: table.budget === undefined ? null : readBudget(table.budget),
      prices: table.prices === undefined ? {} : readPrices(table.prices),
    }
  },
}

function tableOf(value: unknown, expected: string): Readonly<Record<string, unknown>> {
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isTable || value instanceof Date) throw new BadValue(expected, value)
  return value as Readonly<Record<string, unknown>>
}

function readKey(value: unknown): KeySource {
  const text = typeof value === 'string' && value.length <= 4096 ? value : ''
  const [, from, rest = ''] = /^(env|file|command|keyring):(.+)$/s.exec(text) ?? []
  if (from === 'keyring')
    throw new BadValue(
      '"env:…", "file:…" or "command:…" in this version, which does not speak to the desktop keyring itself: "command:secret-tool lookup NAME VALUE" asks it',
      value,
      { at: '.key' },
    )
  if (from === 'env' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest)) return { from, name: rest }
  if (from === 'file' && /^(?:\/|~\/)/.test(rest) && !CONTROL.test(rest)) return { from, path: rest }
  if (from === 'command' && rest.trim() !== '' && !rest.includes('\0')) return { from, command: rest }
  throw new BadValue(KEY, value, { at: '.key' })
}

/** Encryption is optional only for this machine itself, where a model's server may run. */
function readUrl(value: unknown): string {
  const url = typeof value === 'string' && value.length <= 2048 ? URL.parse(value) : null
  const isPlain =
    url !== null &&
    !url.username &&
    !url.password &&
    !url.search &&
    !url.hash &&
    !/[?#@\\]/.test(String(value))
  const isHere =
    url !== null && url.protocol === 'http:' && /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname)
  if (!isPlain || !(url.protocol === 'https:' || isHere)) throw new BadValue(URL_RULE, value, { at: '.url' })
  return url.href.replace(/\/+$/, '')
}

function readBudget(value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 1e9) return value
  throw new BadValue(BUDGET, value, { at: '.budget' })
}

function readPrices(value: unknown): BrokeredProvider['prices'] {
  const entries = Object.entries(tableOf(value, PRICES))
  const fine = entries.every(
    ([model, price]) =>
      /^[\w.:/@-]{1,128}$/.test(model) &&
      Array.isArray(price) &&
      price.length >= 2 &&
      price.length <= 4 &&
      price.every((one) => typeof one === 'number' && one >= 0 && one <= 1e6),
  )
  if (!fine || entries.length > MAX_PRICES) throw new BadValue(PRICES, value, { at: '.prices' })
  return Object.fromEntries(entries) as BrokeredProvider['prices']
}

/** A source as it is written in the file. */
export function sourceText(source: KeySource): string {
  switch (source.from) {
    case 'env':
      return `env:${source.name}`
    case 'file':
      return `file:${source.path}`
    case 'command':
      return `command:${source.command}`
  }
}

function shown({ key, url, budget, prices }: BrokeredProvider): TomlValue {
  const table: Record<string, TomlValue> = { key: sourceText(key) }
  if (url) table.url = url
  if (budget !== null) table.budget = budget
  if (Object.keys(prices).length)
    table.prices = Object.fromEntries(
      Object.entries(prices).map(([model, price]) => [model, price.filter((one) => one !== undefined)]),
    )
  return table
}
