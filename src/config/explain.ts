/** The rows of `coop config`: every value, and the layer that set it. */

import type { TableName } from './config.ts'
import type { LoadedConfig } from './load.ts'
import type { Origin } from './merge.ts'
import { type Fields, keysOf, SCHEMA, TABLE_NAMES } from './schema.ts'
import { type TomlValue, tomlValue } from './toml.ts'
import { isUnbuilt } from './unbuilt.ts'

/** One line of the listing. */
export interface ConfigRow {
  /** Such as `sandbox.image`, or `sandbox.mounts[0]` for an item of a list that several layers add to. */
  readonly key: string
  /** As in the file; null for a value of `[env]`, which may be secret. TOML itself has no null. */
  readonly value: TomlValue | null
  /** `built-in`, `FILE:LINE`, `environment NAME` or `flag NAME`. */
  readonly origin: string
  /** The project asks for it and nobody has accepted that, so no box starts with it. */
  readonly accepted?: false
}

const MASK = '•••'

/** A value as TOML on one line, for people. */
export const valueText = (value: ConfigRow['value']): string => (value === null ? MASK : tomlValue(value))

/** All values that have an effect, in the order of the schema. `open`: keys whose values are not accepted yet. */
export function explainConfig(loaded: LoadedConfig, open: ReadonlySet<string> = new Set()): ConfigRow[] {
  const rows = TABLE_NAMES.flatMap((name) => {
    if (name === 'env') return envRows(loaded)
    return tableRows(name, loaded)
  })
  return rows.map((row) => (open.has(row.key) ? { ...row, accepted: false } : row))
}

function tableRows(name: keyof typeof SCHEMA, loaded: LoadedConfig): ConfigRow[] {
  const { config } = loaded
  switch (name) {
    case 'sandbox':
      return rowsOf(name, SCHEMA.sandbox, config.sandbox, loaded)
    case 'workspace':
      return rowsOf(name, SCHEMA.workspace, config.workspace, loaded)
    case 'network':
      return rowsOf(name, SCHEMA.network, config.network, loaded)
    case 'session':
      return rowsOf(name, SCHEMA.session, config.session, loaded)
    case 'limits':
      return rowsOf(name, SCHEMA.limits, config.limits, loaded)
    case 'input_filter':
      return rowsOf(name, SCHEMA.input_filter, config.input_filter, loaded)
    case 'secrets':
      return rowsOf(name, SCHEMA.secrets, config.secrets, loaded)
    case 'broker':
      return rowsOf(name, SCHEMA.broker, config.broker, loaded)
    case 'serve':
      return rowsOf(name, SCHEMA.serve, config.serve, loaded)
    case 'ui':
      return rowsOf(name, SCHEMA.ui, config.ui, loaded)
    case 'update':
      return rowsOf(name, SCHEMA.update, config.update, loaded)
  }
}

function rowsOf<T extends object>(
  table: TableName,
  fields: Fields<T>,
  values: T,
  loaded: LoadedConfig,
): ConfigRow[] {
  return keysOf(fields).flatMap((name) => {
    if (isUnbuilt(table, name)) return []
    const key = `${table}.${name}`
    const shown = fields[name].show(values[name])
    if (!fields[name].appends || !Array.isArray(shown) || shown.length === 0) {
      return [{ key, value: shown, origin: originOf(key, loaded) }]
    }
    return shown.map((item, index) => {
      const itemKey = `${key}[${index}]`
      return { key: itemKey, value: item, origin: originOf(itemKey, loaded) }
    })
  })
}

function envRows(loaded: LoadedConfig): ConfigRow[] {
  const names = new Set([...Object.keys(loaded.config.env), ...loaded.references.keys()])
  return [...names].map((name) => {
    const reference = loaded.references.get(name)
    const key = `env.${name}`
    return {
      key,
      value: reference ?? null,
      origin: originOf(key, loaded),
    }
  })
}

function originOf(key: string, loaded: LoadedConfig): string {
  return originText(loaded.origins.get(key) ?? { kind: 'built-in' })
}

/** An origin as text for people. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'built-in':
      return 'built-in'
    case 'file':
      return `${origin.file}:${origin.line}`
    case 'environment':
    case 'flag':
      return `${origin.kind} ${origin.name}`
  }
}
