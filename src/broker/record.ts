/** `broker.json`: the port of the broker, which boxes know, and what each box has used. No key and no token is in it. */
import { join } from 'node:path'
import type { Paths } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import { type Fields, isFields, type Kind, newerError, readStoredFile, stamp } from '../store/kind.ts'
import { isProviderName, type ProviderName } from './terms/providers.ts'

/** What a box has used of one provider. */
export interface Account {
  readonly requests: number
  readonly input: number
  readonly output: number
  readonly cached: number
  readonly written: number
  /** US dollars. */
  readonly cost: number
  /** Requests whose tokens were estimated, because the provider had not reported all of them. */
  readonly estimated: number
  /** US dollars that were added to the budget. */
  readonly added: number
  /** Since when the budget is used up and the box has asked for more; milliseconds since 1970. */
  readonly paused?: number
}

export const NO_USE: Account = {
  requests: 0,
  input: 0,
  output: 0,
  cached: 0,
  written: 0,
  cost: 0,
  estimated: 0,
  added: 0,
}

export interface BoxAccounts {
  /** When the box was made: another one of its name begins anew. */
  readonly created: number
  readonly providers: Readonly<Partial<Record<ProviderName, Account>>>
}

export interface BrokerRecord {
  readonly port?: number
  readonly boxes: Readonly<Record<string, BoxAccounts>>
}

const isAccount = (value: unknown): boolean =>
  isFields(value) &&
  Object.keys(NO_USE).every((name) => typeof value[name] === 'number' && Number.isFinite(value[name])) &&
  (value.paused === undefined || typeof value.paused === 'number')

const isBox = (value: unknown): boolean =>
  isFields(value) &&
  typeof value.created === 'number' &&
  isFields(value.providers) &&
  Object.entries(value.providers).every(([name, account]) => isProviderName(name) && isAccount(account))

function parse({ port, boxes }: Fields): BrokerRecord | undefined {
  if (port !== undefined && !(typeof port === 'number' && port > 0 && port < 65536)) return undefined
  if (!isFields(boxes) || !Object.values(boxes).every(isBox)) return undefined
  return { ...(port === undefined ? {} : { port }), boxes: boxes as BrokerRecord['boxes'] }
}

export const brokerRecord: Kind<BrokerRecord> = { name: 'broker', version: 1, migrations: {}, parse }

const fileOf = (paths: Paths): string => join(paths.dataDir, 'broker.json')

/** Raises E_NEWER. A damaged file is an empty one. */
export function readBroker(paths: Paths): BrokerRecord {
  const found = readStoredFile(brokerRecord, fileOf(paths))
  if (found.is === 'newer') throw newerError('the accounts of the broker', found)
  return found.is === 'readable' ? found.value : { boxes: {} }
}

/** Raises what node:fs raises. */
export function writeBroker(paths: Paths, record: BrokerRecord): void {
  writeAtomically(fileOf(paths), stamp(brokerRecord, record), { sync: false })
}
