/**
 * Snapshots on disk: `<data>/snapshots/BOX/NAME` with `upper/` (the box's own files), `workspace/` if it was saved, and
 * `snapshot.json`. A snapshot is made under a name that begins with a dot; one with its real name is complete.
 */
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isBoxName } from '../core/names.ts'
import { boxDir, boxesDir, boxSnapshotsDir, type Paths, snapshotDir, snapshotsDir } from '../core/paths.ts'
import { writeAtomically } from '../disk/write-atomically.ts'
import type { SnapshotInfo } from '../protocol/calls/snapshots.ts'
import { type Found, newerError, readable, readStoredFile, stamp, writerOf } from './kind.ts'
import {
  type RestoringRecord,
  restoringRecord,
  type SnapshotMeta,
  snapshotRecord,
  type WorkspaceRecord,
  workspaceRecord,
} from './snapshot-record.ts'
import { discard } from './storage.ts'

export type { ImageBelow, RestoringRecord, SnapshotMeta, WorkspaceRecord } from './snapshot-record.ts'

const META = 'snapshot.json'
const WORKSPACE = 'workspace.json'
const RESTORING = 'restoring.json'
const RESTORED = '.restored' // in a box's folder: release 0.1.0 copied files there before it restored them

export const snapshotUpper = (folder: string): string => join(folder, 'upper')
export const snapshotWorkspace = (folder: string): string => join(folder, 'workspace')
/** The rules by which git left files out (src/trees/workspace-rules.ts). */
export const snapshotRules = (folder: string): string => join(folder, 'rules')
export const restoredDir = (paths: Paths, box: string): string => join(boxDir(paths, box), RESTORED)

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // there has never been a snapshot
  }
}

function look(paths: Paths, box: string, name: string): Found<SnapshotMeta> {
  if (!isBoxName(box) || !isBoxName(name)) return { is: 'missing' }
  return readStoredFile(snapshotRecord, join(snapshotDir(paths, box, name), META))
}

/** Undefined if there is no readable one. Raises E_NEWER for a snapshot of a newer release. */
export function readMeta(paths: Paths, box: string, name: string): SnapshotMeta | undefined {
  const found = look(paths, box, name)
  if (found.is === 'newer')
    throw newerError(`the snapshot ${name} of the box ${box}`, found, `coop snapshot rm ${box} ${name}`)
  return readable(found)
}

/** All snapshots of one box, or of all boxes, the oldest first. */
export function findSnapshots(paths: Paths, box?: string): SnapshotMeta[] {
  const boxes = box === undefined ? names(snapshotsDir(paths)) : [box]
  return boxes
    .flatMap((one) =>
      names(boxSnapshotsDir(paths, one)).flatMap((name) => readable(look(paths, one, name)) ?? []),
    )
    .sort((a, b) => a.created - b.created)
}

/** Whether the snapshot exists, even if only a newer coop can read it. */
export const hasSnapshot = (paths: Paths, box: string, name: string): boolean =>
  look(paths, box, name).is !== 'missing'

/** For listings: snapshots that this coop cannot read. */
export function findUnknownSnapshots(paths: Paths, box?: string): SnapshotInfo[] {
  const boxes = box === undefined ? names(snapshotsDir(paths)) : [box]
  return boxes.flatMap((one) =>
    names(boxSnapshotsDir(paths, one)).flatMap((name): SnapshotInfo[] => {
      const found = look(paths, one, name)
      if (found.is === 'readable' || found.is === 'missing') return []
      const note =
        found.is === 'newer' ? `made by ${writerOf(found.release)}` : 'its description cannot be read'
      const created = statSync(snapshotDir(paths, one, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
      const rest = { workspace: '', image: '', size: 0, files: 'none' } as const
      return [{ box: one, name, note, created: Math.round(created), ...rest, unknown: true }]
    }),
  )
}

/** Makes a folder for a new snapshot. */
export function beginSnapshot(paths: Paths, box: string, name: string): string {
  const fresh = join(boxSnapshotsDir(paths, box), `.${name}.${crypto.randomUUID()}`)
  mkdirSync(fresh, { recursive: true, mode: 0o700 })
  return fresh
}

/** Gives a complete snapshot its name. */
export function finishSnapshot(paths: Paths, fresh: string, meta: SnapshotMeta): void {
  writeAtomically(join(fresh, META), stamp(snapshotRecord, meta), { sync: true })
  renameSync(fresh, snapshotDir(paths, meta.box, meta.name))
}

/** Describes the saved files of the workspace, in the folder of a snapshot. */
export function writeWorkspaceRecord(folder: string, record: WorkspaceRecord): void {
  writeAtomically(join(folder, WORKSPACE), stamp(workspaceRecord, record), { sync: false })
}

/** Undefined for a snapshot of release 0.1.0, and for a damaged description. */
export const readWorkspaceRecord = (folder: string): WorkspaceRecord | undefined =>
  readable(readStoredFile(workspaceRecord, join(folder, WORKSPACE)))

/** Marks an automatic snapshot whose restore has not been completed. */
export function markRestoring(folder: string, record: RestoringRecord): void {
  writeAtomically(join(folder, RESTORING), stamp(restoringRecord, record), { sync: false })
}

export const readRestoring = (folder: string): RestoringRecord | undefined =>
  readable(readStoredFile(restoringRecord, join(folder, RESTORING)))

export const unmarkRestoring = (folder: string): void => rmSync(join(folder, RESTORING), { force: true })

/** Hides the snapshot at once; its files are deleted with the trash. */
export function discardSnapshot(paths: Paths, folder: string, box: string): void {
  discard(paths, folder)
  try {
    rmdirSync(boxSnapshotsDir(paths, box))
  } catch {
    // The box has other snapshots.
  }
}

/** Removes half-made and half-restored snapshots of a killed daemon. */
export function clearHalfMadeSnapshots(paths: Paths): void {
  for (const box of names(snapshotsDir(paths)))
    for (const name of names(boxSnapshotsDir(paths, box)))
      if (name.startsWith('.')) discardSnapshot(paths, join(boxSnapshotsDir(paths, box), name), box)
  for (const box of names(boxesDir(paths))) discard(paths, restoredDir(paths, box))
}
