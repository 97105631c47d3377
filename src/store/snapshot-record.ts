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

/** `workspace.json` in a snapshot: what a restore must know besides the saved files. Paths are bytes, as latin1. */
export interface WorkspaceRecord {
  /** Files that were in the workspace and are not in the snapshot; folders end with a slash. */
  readonly left: readonly string[]
  /** Marks of the saved files (src/trees/workspace-plan.ts). */
  readonly births: readonly string[]
  /** The workspace's path in its repository, if the rules of git were kept. */
  readonly prefix?: string | undefined
  /** In an automatic snapshot: files that the restore made, and that undoing it deletes. */
  readonly made?: readonly string[] | undefined
}

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

export const workspaceRecord: Kind<WorkspaceRecord> = {
  name: 'snapshot-workspace',
  version: 1,
  migrations: {},
  parse(fields) {
    const isWhole =
      isTexts(fields.left) &&
      isTexts(fields.births) &&
      (fields.made === undefined || isTexts(fields.made)) &&
      (fields.prefix === undefined || typeof fields.prefix === 'string')
    return isWhole ? (fields as unknown as WorkspaceRecord) : undefined
  },
}

/** `restoring.json` in an automatic snapshot, until the restore after it is complete. */
export interface RestoringRecord {
  /** The name in its temporary files. */
  readonly id: string
  /** The identity of the folder with the box's files before the restore. */
  readonly upper: string
}

export const restoringRecord: Kind<RestoringRecord> = {
  name: 'restoring',
  version: 1,
  migrations: {},
  parse: (fields) =>
    typeof fields.id === 'string' && typeof fields.upper === 'string'
      ? { id: fields.id, upper: fields.upper }
      : undefined,
}
