/**
 * Settings that the format has and this version does not act on. Refused when a layer sets one, even when a later layer
 * takes it back: a protection or a limit that is not there must not look as if it were.
 */
import { CoopError } from '../core/errors.ts'
import type { ConfigLayer, TableName } from './config.ts'
import type { LayerWithOrigin, Origin } from './merge.ts'
import { placeText } from './place.ts'
import { DEFAULTS } from './schema.ts'

/** Nothing reads these keys; `coop init` leaves them out. */
const UNBUILT: { readonly [T in TableName]?: readonly string[] } = {
  workspace: ['mount', 'writable'],
  network: ['allow', 'ports'],
  limits: ['memory', 'cpus', 'disk'],
}

/** Whether this version does nothing with a key. */
export const isUnbuilt = (table: TableName, key: string): boolean => UNBUILT[table]?.includes(key) === true

/** Raises E_ISOLATION for the first setting of a layer that has no effect. The default itself is no promise, and passes. */
export function refuseUnbuilt(layers: readonly LayerWithOrigin[]): void {
  for (const { layer, origin } of layers) {
    for (const [table, keys] of entriesOf(UNBUILT))
      for (const key of keys) if (isSet(layer, table, key)) throw noEffect(table, key, origin([table, key]))
    if (layer.network?.mode === 'veth') throw noVeth(origin(['network', 'mode']))
    const mounts = layer.sandbox?.mounts ?? []
    const forced = mounts.findIndex((mount) => mount.kind === 'host' && mount.force)
    if (forced >= 0) throw noForce(origin(['sandbox', 'mounts', String(forced)]))
  }
}

const entriesOf = (map: typeof UNBUILT): [TableName, readonly string[]][] =>
  Object.entries(map) as [TableName, readonly string[]][]

function isSet(layer: ConfigLayer, table: TableName, key: string): boolean {
  const values: Readonly<Record<string, unknown>> = { ...layer[table] }
  const defaults: Readonly<Record<string, unknown>> = { ...DEFAULTS[table] }
  return key in values && JSON.stringify(values[key]) !== JSON.stringify(defaults[key])
}

function noEffect(table: string, key: string, origin: Origin): CoopError {
  const sentence = `${table}.${key} has no effect in this version of coop, so it must not be set`
  return new CoopError('E_ISOLATION', `${placeText(origin)}${sentence}`, {
    hint: `remove ${key} from [${table}]`,
  })
}

const noVeth = (origin: Origin): CoopError =>
  new CoopError(
    'E_ISOLATION',
    `${placeText(origin)}network mode "veth" is not part of this version of coop`,
    { hint: 'use --network none for no network, or --network host to share the host’s' },
  )

const noForce = (origin: Origin): CoopError =>
  new CoopError(
    'E_ISOLATION',
    `${placeText(origin)}force has no effect in this version of coop, so it must not be set`,
    { hint: 'remove force = true; what needs it cannot be mounted yet' },
  )
