/** Joins the layers of the configuration and remembers which layer set each value. */
import type { Config, ConfigLayer } from './config.ts'
import { DEFAULTS, type Fields, keysOf, SCHEMA } from './schema.ts'

/** The place that set a value. */
export type Origin =
  | { readonly kind: 'built-in' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string }

/** A layer, and the origin of each of its values by path, such as `['sandbox', 'image']`. */
export interface LayerWithOrigin {
  readonly layer: ConfigLayer
  readonly origin: (path: readonly string[]) => Origin
}

export interface Merged {
  readonly config: Config
  /** By key, such as `sandbox.image`; items of lists that append also as `sandbox.mounts[0]`. */
  readonly origins: ReadonlyMap<string, Origin>
}

/** Later layers win: scalars and plain lists replace, `env` merges by name, `setup` and `mounts` append. */
export function mergeLayers(layers: readonly LayerWithOrigin[]): Merged {
  const merger = new Merger()
  for (const layer of layers) merger.add(layer)
  return { config: merger.config, origins: merger.origins }
}

class Merger {
  config: Config = DEFAULTS
  readonly origins = new Map<string, Origin>()

  constructor() {
    for (const [table, fields] of Object.entries(SCHEMA)) {
      for (const key of Object.keys(fields)) this.origins.set(`${table}.${key}`, { kind: 'built-in' })
    }
  }

  add(from: LayerWithOrigin): void {
    const { config } = this
    const { layer } = from
    this.config = {
      sandbox: this.#table('sandbox', SCHEMA.sandbox, config.sandbox, layer.sandbox, from),
      workspace: this.#table('workspace', SCHEMA.workspace, config.workspace, layer.workspace, from),
      env: this.#env(layer.env, from),
      network: this.#table('network', SCHEMA.network, config.network, layer.network, from),
      session: this.#table('session', SCHEMA.session, config.session, layer.session, from),
      limits: this.#table('limits', SCHEMA.limits, config.limits, layer.limits, from),
      input_filter: this.#table(
        'input_filter',
        SCHEMA.input_filter,
        config.input_filter,
        layer.input_filter,
        from,
      ),
      secrets: this.#table('secrets', SCHEMA.secrets, config.secrets, layer.secrets, from),
      broker: this.#table('broker', SCHEMA.broker, config.broker, layer.broker, from),
      serve: this.#table('serve', SCHEMA.serve, config.serve, layer.serve, from),
      ui: this.#table('ui', SCHEMA.ui, config.ui, layer.ui, from),
      update: this.#table('update', SCHEMA.update, config.update, layer.update, from),
    }
  }

  #table<T extends object>(
    name: keyof Config,
    fields: Fields<T>,
    earlier: T,
    layer: Partial<T> | undefined,
    from: LayerWithOrigin,
  ): T {
    const merged = { ...earlier }
    for (const key of keysOf(fields)) {
      const later = layer?.[key]
      if (later === undefined) continue
      merged[key] = fields[key].merge(earlier[key], later)
      const origin = from.origin([name, key])
      this.origins.set(`${name}.${key}`, origin)
      if (fields[key].appends) this.#items(`${name}.${key}`, merged[key], later, origin)
    }
    return merged
  }

  #items(key: string, all: unknown, added: unknown, origin: Origin): void {
    if (!Array.isArray(all) || !Array.isArray(added)) return
    for (let index = all.length - added.length; index < all.length; index++)
      this.origins.set(`${key}[${index}]`, origin)
  }

  #env(layer: Partial<Config['env']> | undefined, from: LayerWithOrigin): Config['env'] {
    const env = { ...this.config.env }
    for (const [name, value] of Object.entries(layer ?? {})) {
      if (value === undefined) continue
      env[name] = value
      this.origins.set(`env.${name}`, from.origin(['env', name]))
    }
    return env
  }
}
