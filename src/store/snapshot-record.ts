/** `snapshot.json`, the description of a snapshot (src/store/snapshots.ts). */
import { isBoxName } from '../core/names.ts'
import type { SnapshotInfo } from '../protocol/calls/snapshots.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import type { Fields, Kind } from './kind.ts'

/** The image below a box's own files: layers by chain id, lowest first; with a base they lie on the `host` image. */
export interface ImageBelow {
  readonly base?: 'host' | undefined
  readonly layers: readonly string[]
}

export interface SnapshotMeta extends SnapshotInfo {
  /** Owners are stored as numbers, which mean the same only under the same id map. */
  readonly ids: IdPlan
  readonly below: ImageBelow
}

function parse(fields: Fields): SnapshotMeta | undefined {
  const meta = fields as unknown as SnapshotMeta
  const whole =
    [meta.box, meta.name].every((name) => typeof name === 'string' && isBoxName(name)) &&
    [meta.workspace, meta.image, meta.files].every((item) => typeof item === 'string') &&
    [meta.created, meta.size].every((item) => typeof item === 'number') &&
    Array.isArray(meta.below?.layers)
  return whole ? meta : undefined
}

export const snapshotRecord: Kind<SnapshotMeta> = { name: 'snapshot', version: 1, migrations: {}, parse }
