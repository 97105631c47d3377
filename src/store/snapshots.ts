/**
 * Snapshots on disk: `<data>/snapshots/BOX/NAME` with `upper/` (the box's own files), `workspace/` if it holds those, and
 * `snapshot.json`. Made under a name that begins with a dot; one with its real name is whole.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { discard } from '../box/storage.ts'
import { isBoxName } from '../core/names.ts'
import { boxDir, boxesDir, boxSnapshotsDir, type Paths, snapshotDir, snapshotsDir } from '../core/paths.ts'
import type { SnapshotInfo } from '../protocol/calls/snapshots.ts'
import type { IdPlan } from '../sandbox/ids.ts'
import { writeAtomically } from './manifest.ts'

const VERSION = 1
const META = 'snapshot.json'
const RESTORED = '.restored' // in a box's folder: files on their way back

/** What a box's own files lie on: layers, by chain id and lowest first, and with a base these on the `host` image. */
export interface ImageBelow {
  readonly base?: 'host' | undefined
  readonly layers: readonly string[]
}

export interface SnapshotMeta extends SnapshotInfo {
  readonly version: typeof VERSION
  /** Owners are numbers: they mean the same under the same map only. */
  readonly ids: IdPlan
  readonly below: ImageBelow
}

export const snapshotUpper = (folder: string): string => join(folder, 'upper')
export const snapshotWorkspace = (folder: string): string => join(folder, 'workspace')
export const restoredDir = (paths: Paths, box: string): string => join(boxDir(paths, box), RESTORED)

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // there never was one
  }
}

/** Undefined for a file that is no description of a snapshot of this version. */
export function parseMeta(text: string): SnapshotMeta | undefined {
  try {
    const meta = JSON.parse(text) as SnapshotMeta
    const whole =
      meta.version === VERSION &&
      [meta.box, meta.name].every((name) => typeof name === 'string' && isBoxName(name)) &&
      [meta.workspace, meta.image, meta.files].every((item) => typeof item === 'string') &&
      [meta.created, meta.size].every((item) => typeof item === 'number') &&
      Array.isArray(meta.below?.layers)
    return whole ? meta : undefined
  } catch {
    return undefined
  }
}

export function readMeta(paths: Paths, box: string, name: string): SnapshotMeta | undefined {
  if (!isBoxName(box) || !isBoxName(name)) return undefined
  try {
    return parseMeta(readFileSync(join(snapshotDir(paths, box, name), META), 'utf8'))
  } catch {
    return undefined
  }
}

/** All of one box, or of all, the oldest first. */
export function findSnapshots(paths: Paths, box?: string): SnapshotMeta[] {
  const boxes = box === undefined ? names(snapshotsDir(paths)) : [box]
  return boxes
    .flatMap((one) => names(boxSnapshotsDir(paths, one)).flatMap((name) => readMeta(paths, one, name) ?? []))
    .sort((a, b) => a.created - b.created)
}

/** A folder for one that is being made. */
export function beginSnapshot(paths: Paths, box: string, name: string): string {
  const fresh = join(boxSnapshotsDir(paths, box), `.${name}.${crypto.randomUUID()}`)
  mkdirSync(fresh, { recursive: true, mode: 0o700 })
  return fresh
}

/** It is whole: give it its name. */
export function finishSnapshot(paths: Paths, fresh: string, meta: Omit<SnapshotMeta, 'version'>): void {
  writeAtomically(join(fresh, META), `${JSON.stringify({ version: VERSION, ...meta })}\n`, true)
  renameSync(fresh, snapshotDir(paths, meta.box, meta.name))
}

/** Out of sight at once; its files go with the trash. */
export function discardSnapshot(paths: Paths, folder: string, box: string): void {
  discard(paths, folder)
  try {
    rmdirSync(boxSnapshotsDir(paths, box))
  } catch {
    // It has others.
  }
}

/** What a daemon that was killed left half made or half restored. */
export function clearHalfMadeSnapshots(paths: Paths): void {
  for (const box of names(snapshotsDir(paths)))
    for (const name of names(boxSnapshotsDir(paths, box)))
      if (name.startsWith('.')) discardSnapshot(paths, join(boxSnapshotsDir(paths, box), name), box)
  for (const box of names(boxesDir(paths))) discard(paths, restoredDir(paths, box))
}
