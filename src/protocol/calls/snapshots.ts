/** Calls of `coop snapshot`. A box that is gone is named as when it was there. */
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
  /** Bytes of the box's files and of the workspace's; without sharing by reflinks. */
  size: integer(0, Number.MAX_SAFE_INTEGER),
  /** How much of the workspace is in it. */
  files: oneOf('none', 'repository', 'with-ignored', 'folder'),
  /** Repositories within the workspace: their files are not in it. */
  leftOut: optional(list(text())),
  /** A newer coop made it, or it is damaged: only box, name and age are known, and `note` says why. */
  unknown: optional(literal(true)),
})
export type SnapshotInfo = Of<typeof snapshotInfo>

export const SNAPSHOT_CALLS = {
  'snapshot.create': call(
    'Keeps the files of a box. `workspace`: and those of its workspace; `ignored`: also those that git ignores.',
    object({ ...target, name: text(), note: optional(text()), workspace: flag, ignored: flag }),
    snapshotInfo,
  ),
  'snapshot.restore': call(
    'Puts them back and starts the box again if it ran. `force`: also when files of the workspace are deleted by it.',
    object({ ...target, name: text(), workspace: flag, force: flag, environment }),
    object({ box: text(), running: flag, warnings: list(text(1 << 16)) }),
  ),
  'snapshot.list': call('Lists snapshots, of one box or of all.', object(target), list(snapshotInfo)),
  'snapshot.remove': call(
    'Removes a snapshot.',
    object({ ...target, name: text() }),
    object({ box: text() }),
  ),
} as const
