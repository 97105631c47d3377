/**
 * What the project's own coop.toml asks for beyond the safe set. It comes with the repository, and whoever writes there
 * decides what is in it: it may tighten what the user's own layers say (default.toml, COOP_*, flags), and whatever widens
 * that is an {@link Ask}. Pure.
 */
import type { TableName } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import { type Fields, keysOf, SCHEMA } from '../config/schema.ts'
import type { Ask } from './ask.ts'
import { envAsks } from './env-asks.ts'
import { type About, RULES, type Rules } from './rules.ts'

export type { About, MountedAt } from './rules.ts'

/** Nothing without a coop.toml, or when it stays within what the user's layers say. */
export function projectAsks(
  loaded: LoadedConfig,
  projectFile: string,
  facts: Omit<About, 'isMine'>,
): readonly Ask[] {
  const { config, withoutProject: own, origins } = loaded
  if (!own) return []
  const isMine = (key: string): boolean => {
    const origin = origins.get(key)
    return origin?.kind === 'file' && origin.file === projectFile
  }
  const about: About = { ...facts, isMine }
  const asksOf = <T extends object>(
    table: TableName,
    fields: Fields<T>,
    rules: Rules<T>,
    values: T,
    users: T,
  ): Ask[] =>
    keysOf(fields).flatMap((name) => {
      const at = `${table}.${name}`
      // Items of a list that several layers add to each have an origin of their own.
      if (!fields[name].appends && !isMine(at)) return []
      return rules[name](values[name], users[name], about).map((ask) => ({ at, ...ask }))
    })
  return [
    ...asksOf('sandbox', SCHEMA.sandbox, RULES.sandbox, config.sandbox, own.sandbox),
    ...asksOf('workspace', SCHEMA.workspace, RULES.workspace, config.workspace, own.workspace),
    ...envAsks(loaded, own.env, isMine),
    ...asksOf('network', SCHEMA.network, RULES.network, config.network, own.network),
    ...asksOf('session', SCHEMA.session, RULES.session, config.session, own.session),
    ...asksOf('limits', SCHEMA.limits, RULES.limits, config.limits, own.limits),
    ...asksOf('input_filter', SCHEMA.input_filter, RULES.input_filter, config.input_filter, own.input_filter),
    ...asksOf('secrets', SCHEMA.secrets, RULES.secrets, config.secrets, own.secrets),
    ...asksOf('serve', SCHEMA.serve, RULES.serve, config.serve, own.serve),
  ]
}
