/** Calls of `coop snapshot`. A box that is gone keeps its name here. */
import { call } from '../shapes/call.ts'
import { flag, integer, list, literal, type Of, object, oneOf, optional, text } from '../shapes/shapes.ts'
import { environment, target, time } from '../shapes/values.ts'

export const snapshotInfo = object({
  box: text(),
  name: text(),
  note: optional(text()),
  created: time,
  workspace: text(),
  image: text(),
  /** Bytes of the box's files and of the workspace's, as if no blocks were shared (reflinks). */
  size: integer(0, Number.MAX_SAFE_INTEGER),
  /** How much of the workspace it holds. */
  files: oneOf('none', 'repository', 'with-ignored', 'folder'),
  /** Repositories within the workspace, whose files it does not hold. */
  leftOut: optional(list(text())),
  /** Made before a restore, which `coop snapshot undo` takes back. `size` is without the box's own files. */
  automatic: optional(literal(true)),
  /** The snapshot whose restore it precedes. */
  before: optional(text()),
  /** How many files of the workspace that restore replaced or deleted; they are in this snapshot. */
  touched: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  /** A newer coop made it, or it is damaged: only box, name and age are known, and `note` says why. */
  unknown: optional(literal(true)),
})
export type SnapshotInfo = Of<typeof snapshotInfo>

const count = integer(0, Number.MAX_SAFE_INTEGER)
/** `undo`: the automatic snapshot of the files before. The counts are about the workspace. */
const restored = object({
  box: text(),
  name: text(),
  running: flag,
  warnings: list(text(1 << 16)),
  undo: text(),
  replaced: count,
  deleted: count,
})

export const SNAPSHOT_CALLS = {
  'snapshot.create': call(
    'Copies the files of a box; with `workspace` also those of its workspace, with `ignored` even ignored ones.',
    object({ ...target, name: text(), note: optional(text()), workspace: flag, ignored: flag }),
    snapshotInfo,
  ),
  'snapshot.restore': call(
    'Puts the files back, and starts the box again if it ran. With `force` it may delete files of the workspace.',
    object({ ...target, name: text(), workspace: flag, force: flag, environment }),
    restored,
  ),
  'snapshot.undo': call(
    'Puts back the files before the last restore of a box, or before one that was interrupted.',
    object({ ...target, environment }),
    restored,
  ),
  'snapshot.list': call('Lists snapshots, of one box or of all.', object(target), list(snapshotInfo)),
  'snapshot.remove': call(
    'Removes a snapshot.',
    object({ ...target, name: text() }),
    object({ box: text() }),
  ),
} as const
