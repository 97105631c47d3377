/** Parses coop.toml: from text to one typed layer, or an error with file, line, key and the expected value. */
import TOML from '@iarna/toml'
import { CoopError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { Config, ConfigLayer } from './config.ts'
import { ENV_NAME_RULE, isEnvName } from './env-flags.ts'
import { scanToml, type TomlScan } from './locate.ts'
import { ENV_VALUE, type Fields, keysOf, SCHEMA, TABLE_NAMES } from './schema.ts'
import { quoteForMessage } from './toml.ts'
import { BadValue, type Kind } from './values.ts'

/** Bytes of the largest configuration file. A repository may be hostile, and nobody writes a megabyte of settings. */
export const MAX_CONFIG_BYTES = 1024 * 1024

/** The origin of a text. Only the user's own `global` file may say `force = true`. */
export interface ConfigSource {
  readonly file: string
  readonly layer: 'global' | 'project'
}

export interface ParsedConfig {
  readonly layer: ConfigLayer
  /** The line, from 1, of a key such as `['sandbox', 'image']`. */
  readonly lineOf: (path: readonly string[]) => number
}

/** Decodes a configuration file. Raises E_CONFIG if it is too large or not UTF-8. */
export function decodeConfig(bytes: Uint8Array, file: string): string {
  if (bytes.length > MAX_CONFIG_BYTES) throw tooLarge(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes) // drops a byte order mark
  } catch (cause) {
    throw new CoopError('E_CONFIG', `${file} is not UTF-8 text`, { hint: 'save the file as UTF-8', cause })
  }
}

const tooLarge = (file: string): CoopError =>
  new CoopError('E_CONFIG', `${file} is larger than ${MAX_CONFIG_BYTES} bytes`, {
    hint: 'move long setup steps into a script of the repository',
  })

/** Settings that belong to no box. */
const OF_ALL_BOXES = [
  ['serve', 'host'],
  ['serve', 'port'],
  ['update', 'check'],
] as const

/** Parses one configuration file. Raises E_CONFIG. */
export function parseConfig(text: string, source: ConfigSource): ParsedConfig {
  if (text.length > MAX_CONFIG_BYTES) throw tooLarge(source.file)
  const scan = scanToml(text)
  if (scan.refused) {
    throw new CoopError('E_CONFIG', `${source.file}:${scan.refused.line}: ${scan.refused.problem}`, {
      hint: HINT,
    })
  }
  const document = parseToml(text, scan, source.file)
  const reader = new Reader(source, scan)
  return { layer: reader.document(document), lineOf: scan.lineOf }
}

const HINT = 'run coop init in an empty folder: it writes every key with its meaning'

function parseToml(text: string, scan: TomlScan, file: string): Readonly<Record<string, unknown>> {
  try {
    // Hide from the library the text that the scanner did not understand (see locate.ts).
    const document = TOML.parse(scan.stoppedAt === undefined ? text : text.slice(0, scan.stoppedAt))
    if (scan.stoppedAt === undefined) return document
  } catch (cause) {
    throw syntaxError(cause, scan, file, text)
  }
  throw syntaxError(undefined, scan, file, text)
}

function syntaxError(cause: unknown, scan: TomlScan, file: string, text: string): CoopError {
  let line = scan.lastLine
  let where = `${line}`
  let what = 'unexpected character'
  // Other errors have a `line`, too, but of the library's own code.
  if (cause instanceof Error && cause.name === 'TomlError') {
    what = cause.message
      .replace(/ at row \d+, col \d+, pos \d+:.*$/s, '')
      .replace(/^Unknown character "\d+"$/, what)
    if (
      'line' in cause &&
      typeof cause.line === 'number' &&
      'col' in cause &&
      typeof cause.col === 'number'
    ) {
      line = cause.line + 1
      // At the end of the text the library counts a few columns too many.
      const width = text.split('\n')[cause.line]?.length ?? 0
      where = `${line}:${Math.min(cause.col, width) + 1}`
    }
  }
  what = what.charAt(0).toLowerCase() + what.slice(1)
  return new CoopError('E_CONFIG', `${file}:${where}: this is not TOML: ${what}`, {
    hint: `check line ${line}: values look like key = "text", key = 1 or key = ["a", "b"]`,
    cause,
  })
}

class Reader {
  readonly #source: ConfigSource
  readonly #scan: TomlScan

  constructor(source: ConfigSource, scan: TomlScan) {
    this.#source = source
    this.#scan = scan
  }

  document(raw: Readonly<Record<string, unknown>>): ConfigLayer {
    for (const name of Object.keys(raw)) {
      if (!TABLE_NAMES.some((known) => known === name)) throw this.#unknownTable(name, raw[name])
    }
    const layer: ConfigLayer = {
      ...this.#table('sandbox', SCHEMA.sandbox, raw),
      ...this.#table('workspace', SCHEMA.workspace, raw),
      ...this.#env(raw.env),
      ...this.#table('network', SCHEMA.network, raw),
      ...this.#table('session', SCHEMA.session, raw),
      ...this.#table('limits', SCHEMA.limits, raw),
      ...this.#table('input_filter', SCHEMA.input_filter, raw),
      ...this.#table('secrets', SCHEMA.secrets, raw),
      ...this.#table('broker', SCHEMA.broker, raw),
      ...this.#table('serve', SCHEMA.serve, raw),
      ...this.#table('ui', SCHEMA.ui, raw),
      ...this.#table('update', SCHEMA.update, raw),
    }
    this.#refuseReach(layer)
    return layer
  }

  #table<N extends keyof Config, T extends object>(
    name: N,
    fields: Fields<T>,
    raw: Readonly<Record<string, unknown>>,
  ): { [K in N]?: Partial<T> } {
    const table = this.#asTable(name, raw[name])
    if (table === undefined) return {}
    const result: Partial<T> = {}
    for (const key of Object.keys(table)) {
      const known = keysOf(fields).find((candidate) => candidate === key)
      if (known === undefined) throw this.#unknownKey(name, key, keysOf(fields))
      result[known] = this.#value([name, key], fields[known], table[key])
    }
    // TypeScript widens a computed key to string; this one is exactly N.
    return { [name]: result } as { [K in N]?: Partial<T> }
  }

  #env(raw: unknown): Pick<ConfigLayer, 'env'> {
    const table = this.#asTable('env', raw)
    if (table === undefined) return {}
    const env: Record<string, string> = {}
    for (const [name, value] of Object.entries(table)) {
      if (!isEnvName(name)) {
        const sentence = `env has the name ${quoteForMessage(name)}, but a variable's name is ${ENV_NAME_RULE}`
        throw this.#error(['env', name], sentence, HINT)
      }
      env[name] = this.#value(['env', name], ENV_VALUE, value)
    }
    return { env }
  }

  #asTable(name: string, value: unknown): Readonly<Record<string, unknown>> | undefined {
    if (value === undefined || isTable(value)) return value
    throw this.#error(
      [name],
      `${name} must be a table, not ${describe(value)}`,
      `write [${name}] on a line of its own`,
    )
  }

  #value<T>(path: readonly string[], kind: Kind<T>, value: unknown): T {
    try {
      return kind.read(value)
    } catch (error) {
      if (!(error instanceof BadValue)) throw error
      // These may hold secrets, by mistake or not, and messages end up in logs and screenshots.
      const shown = path[0] === 'env' || path[0] === 'broker' ? kindOf(error.value) : describe(error.value)
      const key = `${path.join('.')}${error.at}`
      const near = error.near === undefined ? undefined : quoteForMessage(error.near)
      const sentence = `${key} must be ${error.expected}, not ${shown}`
      throw this.#error(path, sentence, near === undefined ? HINT : `did you mean ${near}?`)
    }
  }

  /** A repository must not run programs on the host or reach sensitive places; only the user may allow that. */
  #refuseReach(layer: ConfigLayer): void {
    if (this.#source.layer === 'global') return
    if (layer.sandbox?.caches === 'shared') {
      const sentence =
        'sandbox.caches may not be "shared" by a project: a box could poison what the others use'
      throw this.#error(['sandbox', 'caches'], sentence, 'set it in ~/.config/coop/default.toml')
    }
    if (layer.session?.notify !== undefined) {
      const sentence = 'session.notify may not be set by a project: it runs a command on this machine'
      throw this.#error(['session', 'notify'], sentence, 'set it in ~/.config/coop/default.toml')
    }
    for (const key of Object.keys(layer.broker ?? {})) {
      const sentence = `broker.${key} may not be set by a project: it names a key of yours, or a command for this machine`
      throw this.#error(['broker', key], sentence, 'set it in ~/.config/coop/default.toml')
    }
    for (const [table, key] of OF_ALL_BOXES) {
      if (!Object.hasOwn(layer[table] ?? {}, key)) continue
      const sentence = `${table}.${key} may not be set by a project: it concerns all of coop`
      throw this.#error([table, key], sentence, 'set it in ~/.config/coop/default.toml')
    }
    if (layer.ui?.theme !== undefined) {
      const sentence = 'ui.theme may not be set by a project: it concerns all of coop'
      throw this.#error(['ui', 'theme'], sentence, 'set it in ~/.config/coop/default.toml')
    }
    const index = layer.sandbox?.mounts?.findIndex((mount) => mount.kind === 'host' && mount.force) ?? -1
    if (index < 0) return
    const sentence = `sandbox.mounts[${index}].force may not be set by a project: only you may allow a sensitive mount`
    throw this.#error(
      ['sandbox', 'mounts', String(index), 'force'],
      sentence,
      'set it in ~/.config/coop/default.toml',
    )
  }

  #unknownTable(name: string, value: unknown): CoopError {
    const shown = quoteForMessage(name)
    const tables = `tables are ${TABLE_NAMES.join(', ')}`
    const sentence = `${isTable(value) ? 'unknown table' : 'unknown key'} ${shown} at the top level; ${tables}`
    const near = nearest(name, TABLE_NAMES)
    if (near !== undefined) return this.#error([name], sentence, `did you mean [${near}]?`)
    return this.#error([name], sentence, this.#elsewhere(name) ?? HINT)
  }

  #unknownKey(table: string, key: string, known: readonly string[]): CoopError {
    const near = nearest(key, known)
    const sentence = `unknown key ${quoteForMessage(key)} in [${table}]; its keys are ${known.join(', ')}`
    const hint = near === undefined ? (this.#elsewhere(key) ?? HINT) : `did you mean "${near}"?`
    return this.#error([table, key], sentence, hint)
  }

  /** A hint for a valid key in the wrong table. */
  #elsewhere(key: string): string | undefined {
    const table = Object.entries(SCHEMA).find(([, fields]) => Object.hasOwn(fields, key))?.[0]
    return table === undefined ? undefined : `move ${key} to [${table}]`
  }

  #error(path: readonly string[], sentence: string, hint: string): CoopError {
    return new CoopError('E_CONFIG', `${this.#source.file}:${this.#scan.lineOf(path)}: ${sentence}`, {
      hint,
    })
  }
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** A value from a file for a message, made harmless and short. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return quoteForMessage(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  return kindOf(value)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'object') return 'a table'
  return typeof value === 'string' ? 'this string' : `a ${typeof value === 'boolean' ? 'boolean' : 'number'}`
}
