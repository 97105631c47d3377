/**
 * Puts the files of a snapshot back. An automatic snapshot comes first: the box's own files are moved into it, and of
 * the workspace it keeps what the restore replaces or deletes. Until the restore is complete a mark in it says so.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { exchange, pathBytes, pathText, placeIdentity } from '../../ffi/tree.ts'
import type { Box } from '../box/box.ts'
import { CoopError } from '../core/errors.ts'
import { boxesDir, type Paths, snapshotDir, upperDir } from '../core/paths.ts'
import { imageBelow } from '../plan/image-layers.ts'
import type { Reply } from '../protocol/calls.ts'
import type { Environment } from '../protocol/shapes/values.ts'
import {
  beginSnapshot,
  discardSnapshot,
  findSnapshots,
  finishSnapshot,
  markRestoring,
  readRestoring,
  readWorkspaceRecord,
  type SnapshotMeta,
  snapshotRules,
  snapshotUpper,
  snapshotWorkspace,
  unmarkRestoring,
  writeWorkspaceRecord,
} from '../store/snapshots.ts'
import { diskError, makeOwned } from '../store/storage.ts'
import { copyTree, syncTree } from '../trees/copier.ts'
import { filesIn } from '../trees/work-files.ts'
import { saveWorkspace } from '../trees/workspace-copy.ts'
import { listWorkspace } from '../trees/workspace-list.ts'
import { compare, type Existing, existing, printOf, type WorkspaceChanges } from '../trees/workspace-plan.ts'
import { restoreWorkspace, sweep } from '../trees/workspace-restore.ts'
import { findDoomed } from '../trees/workspace-rules.ts'
import type { Engine } from './engine.ts'
import { checkState } from './still.ts'

const SHOWN = 5 // files that a message names
const KEPT = 5 // automatic snapshots of a box; an older one goes with the next restore
const AUTOMATIC = /^undo-(\d+)$/

export interface RestoreCall {
  readonly workspace: boolean
  readonly force: boolean
  readonly environment: Environment
}

type Done = Reply<'snapshot.restore'>

const NOTHING: WorkspaceChanges = { put: [], folders: [], doomed: [], obstacles: [] }

interface Planned extends WorkspaceChanges {
  /** Files that are in no snapshot, and that may be older than this one. */
  readonly unsure: readonly string[]
}

function some(paths: readonly string[]): string {
  const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : ''
  return `${paths.slice(0, SHOWN).map(pathText).join(', ')}${more}`
}

/** Automatic snapshots of a box, the oldest first; not those of an earlier box of the same name. */
export function automaticSnapshots(paths: Paths, box: Box): SnapshotMeta[] {
  return findSnapshots(paths, box.name).filter(
    ({ automatic, created }) => automatic && created >= box.manifest.created,
  )
}

const isOpen = (paths: Paths, { box, name }: SnapshotMeta): boolean =>
  readRestoring(snapshotDir(paths, box, name)) !== undefined

/** The snapshot that undoing the last restore of a box puts back. Raises E_FAILED if there is none. */
export function undoOf(paths: Paths, box: Box): SnapshotMeta {
  const all = automaticSnapshots(paths, box)
  // The first that was interrupted holds the files before everything that went wrong.
  const found = all.find((one) => isOpen(paths, one)) ?? all.findLast(({ before }) => before !== undefined)
  if (found) return found
  throw new CoopError('E_FAILED', `no restore of the box ${box.name} can be undone`, {
    hint: `coop snapshot ls ${box.name}`,
  })
}

/** Raises E_FAILED when a restore of the box was interrupted: its files are neither the old ones nor the new ones. */
export function refuseInterrupted(paths: Paths, box: Box): void {
  const open = automaticSnapshots(paths, box).find((one) => isOpen(paths, one))
  if (!open) return
  throw new CoopError(
    'E_FAILED',
    `an earlier restore of the box ${box.name} was interrupted, and some files of its workspace are not restored`,
    { hint: `go back to the files before it, then restore again: coop snapshot undo ${box.name}` },
  )
}

/** After a crash: completes or drops restores of which nothing but temporary files has to be done. */
export async function recoverRestores(paths: Paths): Promise<void> {
  for (const meta of findSnapshots(paths).filter(({ automatic }) => automatic)) {
    const folder = snapshotDir(paths, meta.box, meta.name)
    const mark = readRestoring(folder)
    if (!mark || !existsSync(`${boxesDir(paths)}/${meta.box}`)) continue
    const hasBegun = placeIdentity(pathBytes(upperDir(paths, meta.box))) !== mark.upper
    try {
      if (meta.touched !== undefined) await sweepAfter(meta, folder, mark.id)
    } catch {
      // The workspace is gone or cannot be read; at worst a hidden file stays in it.
    }
    if (!hasBegun) discardSnapshot(paths, folder, meta.box)
    else if (meta.touched === undefined) unmarkRestoring(folder)
  }
}

async function sweepAfter(meta: SnapshotMeta, folder: string, id: string): Promise<void> {
  const paths = [...(await filesIn(snapshotWorkspace(folder))), ...(readWorkspaceRecord(folder)?.made ?? [])]
  await sweep(meta.workspace, paths, id)
}

export class Restorer {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Restores a snapshot that fits the box. */
  async restore(box: Box, meta: SnapshotMeta, call: RestoreCall): Promise<Done> {
    const { paths, log } = this.#engine.context
    const { plan } = box.manifest
    checkState(box)
    if (call.workspace) await this.#planned(meta, call) // refuses before anything is copied
    const wasOpen = isOpen(paths, meta)
    const wasRunning = box.running
    const undo = this.#nextName(box)
    const fresh = beginSnapshot(paths, box.name, undo)
    const kept = snapshotDir(paths, box.name, undo)
    let planned: Planned = { ...NOTHING, unsure: [] }
    let hasStopped = false
    let hasChanged = false
    try {
      makeOwned(snapshotUpper(fresh), plan.ids)
      const source = snapshotUpper(snapshotDir(paths, box.name, meta.name))
      await copyTree(this.#engine.context, plan.ids, source, snapshotUpper(fresh))
      await this.#engine.registry.starts.settled(box.name)
      if (wasRunning) {
        hasStopped = true
        await box.stop({ force: false, reason: `coop snapshot restore ${meta.name}`, ended: 'restored' })
      }
      if (box.ending || box.manifest.state !== 'stopped')
        throw new CoopError('E_BOX_STATE', `the box ${box.name} was started or ended meanwhile`, {
          hint: 'coop ls',
        })
      if (call.workspace) planned = await this.#planned(meta, { ...call, force: true }, !call.force)
      await this.#keep(box, meta, call, { fresh, undo, planned, wasOpen })
      const ready = (): void => {
        // Atomic: a daemon that is killed here leaves the box with its old files or with its new ones.
        exchange(upperDir(paths, box.name), snapshotUpper(kept))
        hasChanged = true
      }
      const saved = snapshotWorkspace(snapshotDir(paths, box.name, meta.name))
      const id = readRestoring(kept)?.id ?? undo
      if (call.workspace)
        await restoreWorkspace(meta.workspace, saved, planned, { id, kept: snapshotWorkspace(kept), ready })
      else ready()
    } catch (error) {
      if (hasChanged) throw this.#interrupted(box, error)
      discardSnapshot(paths, existsSync(fresh) ? fresh : kept, box.name)
      if (hasStopped) await this.#engine.registry.start(box.name, call.environment).catch(() => {})
      throw diskError(error, `the files of the box in ${upperDir(paths, box.name)}`)
    } finally {
      this.#engine.clean()
    }
    for (const { name } of wasOpen ? automaticSnapshots(paths, box) : [{ name: undo }])
      unmarkRestoring(snapshotDir(paths, box.name, name))
    this.#forgetOld(box)
    log('snapshot-restored', { box: box.name, name: meta.name, undo })
    const unsure = planned.unsure.length
      ? [
          `left alone, since no snapshot has it and it may be older than ${meta.name}: ${some(planned.unsure)}`,
        ]
      : []
    const { warnings, running } = await this.#startAgain(box, wasRunning, call.environment)
    return {
      box: box.name,
      name: meta.name,
      running,
      warnings: [...unsure, ...warnings],
      undo,
      replaced: planned.put.length,
      deleted: planned.doomed.length,
    }
  }

  async #startAgain(
    box: Box,
    wasRunning: boolean,
    environment: Environment,
  ): Promise<{ warnings: readonly string[]; running: boolean }> {
    if (!wasRunning) return { warnings: [], running: false }
    try {
      const { warnings } = await this.#engine.registry.start(box.name, environment)
      return { warnings, running: true }
    } catch (error) {
      // The files are back, and with them an older coop.toml, which only needs the user's consent.
      if (!(error instanceof CoopError) || error.code !== 'E_TRUST') throw error
      return { warnings: [`${error.message}; ${error.hint}`], running: false }
    }
  }

  /** Makes the automatic snapshot. From its last step on, a crash leaves a mark that the next daemon finds. */
  async #keep(
    box: Box,
    meta: SnapshotMeta,
    call: RestoreCall,
    { fresh, undo, planned, wasOpen }: { fresh: string; undo: string; planned: Planned; wasOpen: boolean },
  ): Promise<void> {
    const { paths } = this.#engine.context
    const { plan } = box.manifest
    let size = 0
    let births: readonly string[] = []
    const replaced = planned.put.flatMap(({ path, print }) => (print === undefined ? [] : path))
    if (call.workspace) {
      mkdirSync(snapshotWorkspace(fresh), { mode: 0o700 })
      const touched = [...replaced, ...planned.doomed.map(({ path }) => path)]
      ;({ size, births } = await saveWorkspace(meta.workspace, snapshotWorkspace(fresh), touched))
    }
    const made = planned.put.flatMap(({ path, print }) => (print === undefined ? path : []))
    writeWorkspaceRecord(fresh, { left: [], births, made })
    const upper = placeIdentity(pathBytes(upperDir(paths, box.name)))
    if (upper === undefined)
      throw new CoopError('E_FAILED', `the folder of the box ${box.name} is gone`, { hint: 'coop ls' })
    markRestoring(fresh, { id: crypto.randomUUID(), upper })
    await syncTree(this.#engine.context, plan.ids, fresh)
    finishSnapshot(paths, fresh, {
      box: box.name,
      name: undo,
      note: wasOpen ? 'a restore that was interrupted' : `before restoring ${meta.name}`,
      created: Date.now(),
      workspace: plan.workspace.source.path,
      image: plan.image,
      size,
      files: 'none',
      automatic: true,
      ...(wasOpen ? {} : { before: meta.name }),
      ...(call.workspace ? { touched: replaced.length + planned.doomed.length } : {}),
      ids: plan.ids,
      below: imageBelow(plan, paths),
    })
  }

  /**
   * Returns what has to change in the workspace. Raises E_WORKSPACE when files are in the way, and without `force` when
   * any have to be deleted. `spare`: deletes none, for a user who was not asked about those that are new.
   */
  async #planned(meta: SnapshotMeta, call: RestoreCall, spare = false): Promise<Planned> {
    const { paths } = this.#engine.context
    const folder = snapshotDir(paths, meta.box, meta.name)
    const saved = snapshotWorkspace(folder)
    const { doomed, unsure } = await this.#doomed(meta, folder)
    if (doomed.length && !call.force)
      throw new CoopError(
        'E_WORKSPACE',
        `this would delete files that are not in the snapshot: ${some(doomed.map(({ path }) => path))}`,
        {
          hint: `to delete them, which coop snapshot undo takes back: coop snapshot restore ${meta.box} ${meta.name} --workspace --force`,
        },
      )
    const changes = await compare(meta.workspace, saved, spare ? [] : doomed)
    if (!changes.obstacles.length) return { ...changes, unsure }
    throw new CoopError(
      'E_WORKSPACE',
      `files that are in no snapshot are in the way of files of the snapshot: ${some(changes.obstacles)}`,
      { hint: 'move them elsewhere, then try again' },
    )
  }

  async #doomed(
    meta: SnapshotMeta,
    folder: string,
  ): Promise<{ doomed: readonly Existing[]; unsure: readonly string[] }> {
    const { home } = this.#engine.context.host
    const record = readWorkspaceRecord(folder)
    if (meta.touched !== undefined) {
      const there = await existing(meta.workspace, record?.made ?? [])
      return { doomed: there.map(({ path, stat }) => ({ path, print: printOf(stat) })), unsure: [] }
    }
    const now = await listWorkspace(meta.workspace, home, true)
    if ((now.kind === 'folder') !== (meta.files === 'folder'))
      throw new CoopError('E_WORKSPACE', `${meta.workspace} has become or ceased to be a git repository`, {
        hint: 'restore without --workspace',
      })
    const kept = new Set(await filesIn(snapshotWorkspace(folder)))
    const others = (now.paths ?? (await filesIn(meta.workspace))).filter((path) => !kept.has(path))
    const rules =
      record?.prefix === undefined
        ? undefined
        : { folder: snapshotRules(folder), prefix: record.prefix, home }
    return await findDoomed(await existing(meta.workspace, others), {
      created: meta.created,
      record,
      leftOut: (meta.leftOut ?? []).map(pathBytes),
      rules,
    })
  }

  #interrupted(box: Box, error: unknown): CoopError {
    const why = error instanceof Error ? error.message : String(error)
    return new CoopError(
      'E_FAILED',
      `restoring the workspace of the box ${box.name} failed halfway: ${why}`,
      {
        hint: `go back to the files before it: coop snapshot undo ${box.name}`,
        cause: error,
      },
    )
  }

  #nextName(box: Box): string {
    const taken = findSnapshots(this.#engine.context.paths, box.name).flatMap(({ name }) => {
      const number = AUTOMATIC.exec(name)?.[1]
      return number === undefined ? [] : Number(number)
    })
    return `undo-${Math.max(0, ...taken) + 1}`
  }

  #forgetOld(box: Box): void {
    const { paths } = this.#engine.context
    const old = findSnapshots(paths, box.name).filter(({ automatic }) => automatic)
    for (const { name } of old.slice(0, -KEPT))
      discardSnapshot(paths, snapshotDir(paths, box.name, name), box.name)
    this.#engine.clean()
  }
}
