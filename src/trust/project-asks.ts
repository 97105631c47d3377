/**
 * The requests of a project's own coop.toml beyond the safe set. The file comes with the repository, and its authors
 * decide its content. It may tighten the user's own layers (default.toml, COOP_*, flags); everything that widens them
 * is an {@link Ask}. Pure.
 */
import type { TableName } from '../config/config.ts'
import type { LoadedConfig } from '../config/load.ts'
import { type Fields, keysOf, SCHEMA } from '../config/schema.ts'
import type { Ask } from './ask.ts'
import { envAsks } from './env-asks.ts'
import { type About, RULES, type Rules } from './rules.ts'

export type { About, MountedAt } from './rules.ts'

/** None without a coop.toml, or if the file stays within the user's layers. */
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
      // In a list that several layers add to, each item has an origin of its own.
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
    ...asksOf('broker', SCHEMA.broker, RULES.broker, config.broker, own.broker),
    ...asksOf('serve', SCHEMA.serve, RULES.serve, config.serve, own.serve),
    ...asksOf('ui', SCHEMA.ui, RULES.ui, config.ui, own.ui),
    ...asksOf('update', SCHEMA.update, RULES.update, config.update, own.update),
  ]
}
