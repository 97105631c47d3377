/** The effective configuration of a workspace: built-in, the user's, the project's, environment variables, flags. */
import { join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { type HostEnv, PROJECT_FILE } from '../core/paths.ts'
import { readSmallFile } from '../disk/small-file.ts'
import type { Config, ConfigLayer } from './config.ts'
import { checkNames } from './env-flags.ts'
import { type LayerWithOrigin, mergeLayers, type Origin } from './merge.ts'
import { type MountFlag, specOf } from './mount-flags.ts'
import { type ConfigSource, decodeConfig, describe, MAX_CONFIG_BYTES, parseConfig } from './parse.ts'
import { placeOf } from './place.ts'
import { SCHEMA } from './schema.ts'
import { quoteForMessage } from './toml.ts'
import { refuseUnbuilt } from './unbuilt.ts'
import { BadValue, type Kind } from './values.ts'

export { PROJECT_FILE } from '../core/paths.ts'
export type { Origin } from './merge.ts'

/** The values of flags; absent ones change nothing. */
export interface ConfigOverrides {
  readonly image?: string | undefined
  readonly agent?: string | undefined
  readonly args?: readonly string[] | undefined
  readonly network?: string | undefined
  /** Taken literally: a `$` in them is a `$`. See {@link parseEnvFlags}. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly hostname?: string | undefined
  readonly mounts?: readonly MountFlag[] | undefined
}

export interface LoadOptions {
  /** Absolute path of the folder that may hold a coop.toml. */
  readonly workspace: string
  /** Folder of `default.toml`. */
  readonly configDir: string
  /** The environment of the client's user, for COOP_* and for `"$NAME"` in `[env]`. */
  readonly env: HostEnv
  readonly overrides?: ConfigOverrides | undefined
}

export interface LoadedConfig {
  readonly config: Config
  /** By key, such as `sandbox.image` or `env.TERM`; items of `setup` and `mounts` also as `sandbox.mounts[0]`. */
  readonly origins: ReadonlyMap<string, Origin>
  /** Each by itself, the weakest first. */
  readonly layers: readonly LayerWithOrigin[]
  readonly warnings: readonly string[]
  /** The files that were read. */
  readonly files: readonly string[]
  /** Names in `[env]` that were written as `"$NAME"`, with that text; includes names that the host does not set. */
  readonly references: ReadonlyMap<string, string>
  /** The user's own layers alone, with `"$NAME"` unresolved; undefined if the project has no file. */
  readonly withoutProject: Config | undefined
}

/**
 * Loads and joins all layers. Raises E_CONFIG for a file or variable, E_USAGE for a flag, E_ISOLATION for what has no effect
 * in this version.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const loaded = readLayers(options)
  refuseUnbuilt(loaded.layers)
  return loaded
}

/** The same with settings that have no effect yet. */
export function readLayers(options: LoadOptions): LoadedConfig {
  const overrides = options.overrides ?? {}
  const files = [
    { file: join(options.configDir, 'default.toml'), layer: 'global' as const, within: undefined },
    // A link out of the repository would let the project read any file of the user, and quote it in an error. A link
    // inside cannot be protected in a box: a mount covers the file, but the box could rename the folders on the link's
    // path.
    { file: join(options.workspace, PROJECT_FILE), layer: 'project' as const, within: options.workspace },
  ].flatMap(({ within, ...source }) => {
    const layer = fileLayer(source, within)
    return layer === undefined ? [] : [{ ...source, from: layer }]
  })
  const users = files.flatMap(({ from, layer }) => (layer === 'global' ? [from] : []))
  const above = [environmentLayer(options.env), flagLayer(overrides)]
  const layers = [...files.map(({ from }) => from), ...above]
  const { config, origins } = mergeLayers(layers)
  const hasProject = users.length < files.length
  const literal = new Set(Object.keys(overrides.env ?? {}))
  const expanded = expandEnv(config.env, options.env, literal, origins)
  return {
    config: { ...config, env: expanded.env },
    origins,
    layers,
    warnings: expanded.warnings,
    files: files.map(({ file }) => file),
    references: expanded.references,
    withoutProject: hasProject ? mergeLayers([...users, ...above]).config : undefined,
  }
}

/** Reads the user's own settings alone; empty without a file. Raises E_CONFIG. */
export function readUserLayer(configDir: string): ConfigLayer {
  const source = { file: join(configDir, 'default.toml'), layer: 'global' as const }
  return fileLayer(source, undefined)?.layer ?? {}
}

function fileLayer(source: ConfigSource, within: string | undefined): LayerWithOrigin | undefined {
  const bytes = readSmallFile(source.file, {
    maxBytes: MAX_CONFIG_BYTES,
    within,
    noLink: source.layer === 'project',
  })
  if (bytes === undefined) return undefined
  const { layer, lineOf } = parseConfig(decodeConfig(bytes, source.file), source)
  return { layer, origin: (path) => ({ kind: 'file', file: source.file, line: lineOf(path) }) }
}

/** The variables that set a value, with the value's path. */
export const VARIABLES = new Map([
  ['sandbox.image', 'COOP_IMAGE'],
  ['sandbox.agent', 'COOP_AGENT'],
  ['network.mode', 'COOP_NETWORK'],
])

function environmentLayer(env: HostEnv): LayerWithOrigin {
  const read = <T>(key: string, kind: Kind<T>): T | undefined => {
    const name = VARIABLES.get(key) ?? ''
    const value = env[name]
    // As everywhere, a variable that is set to nothing counts as not set.
    return value === undefined || value === '' ? undefined : check('E_CONFIG', name, () => kind.read(value))
  }
  return {
    layer: topics(
      read('sandbox.image', SCHEMA.sandbox.image),
      read('sandbox.agent', SCHEMA.sandbox.agent),
      read('network.mode', SCHEMA.network.mode),
    ),
    origin: (path) => ({ kind: 'environment', name: VARIABLES.get(path.join('.')) ?? '' }),
  }
}

/** The options that set a value, with the value's path. Some are for coop's own calls only. */
export const FLAGS = new Map([
  ['sandbox.image', '--image'],
  ['sandbox.agent', '--agent'],
  ['sandbox.args', '--'],
  ['sandbox.hostname', '--hostname'],
  ['network.mode', '--network'],
  ['sandbox.mounts', '--mount'],
])

function flagLayer(flags: ConfigOverrides): LayerWithOrigin {
  const read = <T>(key: string, kind: Kind<T>, value: unknown): T | undefined =>
    value === undefined ? undefined : check('E_USAGE', FLAGS.get(key) ?? key, () => kind.read(value))
  const { image, agent, args, hostname, mode } = {
    image: read('sandbox.image', SCHEMA.sandbox.image, flags.image),
    agent: read('sandbox.agent', SCHEMA.sandbox.agent, flags.agent),
    args: read('sandbox.args', SCHEMA.sandbox.args, flags.args),
    hostname: read('sandbox.hostname', SCHEMA.sandbox.hostname, flags.hostname),
    mode: read('network.mode', SCHEMA.network.mode, flags.network),
  }
  const mounts = flags.mounts?.map((flag) => check('E_USAGE', '--mount', () => specOf(flag)))
  const base = topics(image, agent, mode)
  return {
    layer: {
      ...base,
      sandbox: {
        ...base.sandbox,
        ...(args === undefined ? {} : { args }),
        ...(hostname === undefined ? {} : { hostname }),
        ...(mounts === undefined ? {} : { mounts }),
      },
      env: checkNames(flags.env ?? {}),
    },
    origin: (path) => ({ kind: 'flag', name: path[0] === 'env' ? '-e' : (FLAGS.get(path.join('.')) ?? '') }),
  }
}

type Mode = Config['network']['mode']

function topics(image: string | undefined, agent: string | undefined, mode: Mode | undefined): ConfigLayer {
  return {
    sandbox: { ...(image === undefined ? {} : { image }), ...(agent === undefined ? {} : { agent }) },
    network: mode === undefined ? {} : { mode },
  }
}

function check<T>(code: 'E_CONFIG' | 'E_USAGE', name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    const hint = error.near === undefined ? undefined : `did you mean ${quoteForMessage(error.near)}?`
    throw new CoopError(code, `${name} must be ${error.expected}, not ${describe(error.value)}`, { hint })
  }
}

// "${HOME}" and "$HOME/bin", as a shell would have them; a password such as "pa$word" is left alone.
const LOOKS_EXPANDED = /\$\{[A-Za-z_]\w*\}|(?:^|:)\$[A-Za-z_]\w*[/:]/

function expandEnv(
  raw: Config['env'],
  hostEnv: HostEnv,
  literal: ReadonlySet<string>,
  origins: ReadonlyMap<string, Origin>,
): { env: Config['env']; references: ReadonlyMap<string, string>; warnings: readonly string[] } {
  const env: Record<string, string> = {}
  const references = new Map<string, string>()
  const warnings: string[] = []
  for (const [name, value] of Object.entries(raw)) {
    const wanted = literal.has(name) ? undefined : /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(value)?.[1]
    if (wanted === undefined) {
      env[name] = value
      // A value may be a secret: it is not shown.
      if (!literal.has(name) && LOOKS_EXPANDED.test(value))
        warnings.push(
          `${placeOf(origins, `env.${name}`)}env.${name} is used literally, with its "$": only a value that is "$NAME" as a whole is replaced.`,
        )
      continue
    }
    references.set(name, value)
    const found = Object.hasOwn(hostEnv, wanted) ? hostEnv[wanted] : undefined
    if (found !== undefined) {
      env[name] = found
      continue
    }
    warnings.push(
      `${placeOf(origins, `env.${name}`)}env.${name} is left out: ${wanted} is not set on this machine`,
    )
  }
  return { env, references, warnings }
}
