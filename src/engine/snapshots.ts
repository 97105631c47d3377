/** `coop snapshot`: keeps a copy of a box's files, and puts it back. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Box } from '../box/box.ts'
import { CoopError } from '../core/errors.ts'
import { BOX_NAME_RULE, isBoxName } from '../core/names.ts'
import { boxSnapshotsDir, snapshotDir, snapshotsDir, upperDir } from '../core/paths.ts'
import { imageBelow } from '../plan/image-layers.ts'
import type { SnapshotInfo } from '../protocol/calls/snapshots.ts'
import type { Reply, Request } from '../protocol/calls.ts'
import type { Target } from '../protocol/shapes/values.ts'
import {
  beginSnapshot,
  discardSnapshot,
  findSnapshots,
  findUnknownSnapshots,
  finishSnapshot,
  hasSnapshot,
  readMeta,
  type SnapshotMeta,
  snapshotRules,
  snapshotUpper,
  snapshotWorkspace,
  writeWorkspaceRecord,
} from '../store/snapshots.ts'
import { diskError, makeOwned } from '../store/storage.ts'
import { copyTree, syncTree } from '../trees/copier.ts'
import { saveWorkspace } from '../trees/workspace-copy.ts'
import { listIgnored, listWorkspace } from '../trees/workspace-list.ts'
import { saveRules } from '../trees/workspace-rules.ts'
import type { Engine } from './engine.ts'
import { asJob } from './job.ts'
import { Restorer, refuseInterrupted, undoOf } from './restore.ts'
import { whileStill } from './still.ts'

type Create = Request<'snapshot.create'>
type RestoreRequest = Request<'snapshot.restore'>

function infoOf({ ids: _, below: __, ...info }: SnapshotMeta): SnapshotInfo {
  return info
}

export class Snapshots {
  readonly #engine: Engine
  readonly #restorer: Restorer
  /**
   * The last work of each box. Work on one box runs one after the other: a thaw would thaw the other work's freeze,
   * too.
   */
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(engine: Engine) {
    this.#engine = engine
    this.#restorer = new Restorer(engine)
  }

  /** Copies a box's files. `signal` is aborted when the client is gone; then the snapshot is dropped. */
  async create(request: Create, signal: AbortSignal): Promise<SnapshotInfo> {
    if (!isBoxName(request.name))
      throw new CoopError('E_USAGE', `${JSON.stringify(request.name)} is not a valid name for a snapshot`, {
        hint: BOX_NAME_RULE,
      })
    const box = this.#engine.registry.find(request)
    return this.alone(box.name, () =>
      this.#job(box, 'snapshot', request.name, () => this.#create(box, request, signal)),
    )
  }

  /** Puts a box's files back, completely, even when the client leaves meanwhile. */
  async restore(request: RestoreRequest): Promise<Reply<'snapshot.restore'>> {
    const box = this.#boxOf(request)
    return this.alone(box.name, () =>
      this.#job(box, 'restore', request.name, () => {
        const { paths } = this.#engine.context
        refuseInterrupted(paths, box)
        const meta = this.#meta(box.name, request.name)
        this.#checkFits(meta, box, request.workspace)
        return this.#restorer.restore(box, meta, request)
      }),
    )
  }

  /** Takes back the last restore, or what an interrupted one has done. */
  async undo(request: Request<'snapshot.undo'>): Promise<Reply<'snapshot.undo'>> {
    const box = this.#boxOf(request)
    return this.alone(box.name, async () => {
      const meta = undoOf(this.#engine.context.paths, box)
      const workspace = meta.touched !== undefined
      this.#checkFits(meta, box, workspace)
      const call = { workspace, force: true, environment: request.environment }
      return await this.#job(box, 'restore', meta.name, () => this.#restorer.restore(box, meta, call))
    })
  }

  async remove({ name, ...target }: Request<'snapshot.remove'>): Promise<Reply<'snapshot.remove'>> {
    const { paths } = this.#engine.context
    const box = this.#nameOf(target)
    return this.alone(box, async () => {
      if (!hasSnapshot(paths, box, name)) throw this.#none(box, name)
      discardSnapshot(paths, snapshotDir(paths, box, name), box)
      this.#engine.clean()
      return { box }
    })
  }

  /** Lists all snapshots, or those of one box. */
  list(target: Target): readonly SnapshotInfo[] {
    const { paths } = this.#engine.context
    const box = target.box === undefined ? undefined : this.#nameOf(target)
    return [...findSnapshots(paths, box).map(infoOf), ...findUnknownSnapshots(paths, box)]
  }

  #job<T>(box: Box, job: 'snapshot' | 'restore', name: string, work: () => Promise<T>): Promise<T> {
    return asJob(this.#engine.context.bus, { box: box.name, job, name }, work)
  }

  /** Whether work is under way that the daemon must stay for. */
  get busy(): boolean {
    return this.#last.size > 0
  }

  /** Runs `work` after the work that is under way for that box. */
  async alone<T>(box: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(box) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#last.set(box, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(box) === mine) this.#last.delete(box)
    }
  }

  async #create(box: Box, call: Create, signal: AbortSignal): Promise<SnapshotInfo> {
    const { paths, host, log } = this.#engine.context
    if (existsSync(snapshotDir(paths, box.name, call.name)))
      throw new CoopError('E_BOX_EXISTS', `there is a snapshot ${call.name} of the box ${box.name} already`, {
        hint: `choose another name, or remove that one: coop snapshot rm ${box.name} ${call.name}`,
      })
    const { plan } = box.manifest
    const workspace = plan.workspace.source.path
    let begun: string | undefined
    try {
      signal.throwIfAborted()
      const fresh = beginSnapshot(paths, box.name, call.name)
      begun = fresh
      const upper = snapshotUpper(fresh)
      makeOwned(upper, plan.ids)
      const began = performance.now()
      let size = 0
      let files: SnapshotInfo['files'] = 'none'
      let leftOut: readonly string[] = []
      await whileStill(box, log, signal, async () => {
        size = (await copyTree(this.#engine.context, plan.ids, upperDir(paths, box.name), upper, signal))
          .bytes
        if (!call.workspace) return
        const found = await listWorkspace(workspace, host.home, call.ignored, signal)
        files = found.kind
        mkdirSync(snapshotWorkspace(fresh), { mode: 0o700 })
        const saved = await saveWorkspace(workspace, snapshotWorkspace(fresh), found.paths, signal)
        size += saved.size
        const repositories = [...found.nested, ...saved.submodules.map((path) => `${path}/`)]
        // In a repository git may ignore files; what was there and is not in the snapshot must survive a restore.
        const hasRules = found.kind === 'repository'
        const left = hasRules ? await listIgnored(workspace, host.home, signal) : []
        const rules = (): Promise<string> =>
          saveRules(workspace, host.home, [...(found.paths ?? []), ...left], snapshotRules(fresh), signal)
        const prefix = hasRules ? await rules() : undefined
        writeWorkspaceRecord(fresh, { left, births: saved.births, prefix })
        leftOut = repositories.map((path) => Buffer.from(path, 'latin1').toString())
      })
      await syncTree(this.#engine.context, plan.ids, fresh) // so that after a power cut it is whole or absent
      const info: SnapshotInfo = {
        box: box.name,
        name: call.name,
        ...(call.note === undefined ? {} : { note: call.note }),
        created: Date.now(),
        workspace,
        image: plan.image,
        size,
        files,
        ...(leftOut.length ? { leftOut } : {}),
      }
      finishSnapshot(paths, fresh, { ...info, ids: plan.ids, below: imageBelow(plan, paths) })
      log('snapshot', { box: box.name, name: call.name, size, ms: Math.round(performance.now() - began) })
      return info
    } catch (error) {
      if (begun) discardSnapshot(paths, begun, box.name)
      this.#engine.clean()
      throw diskError(error, `the snapshot in ${snapshotsDir(paths)}`)
    }
  }

  #checkFits(meta: SnapshotMeta, box: Box, workspace: boolean): void {
    const { plan } = box.manifest
    if (meta.image !== plan.image)
      throw new CoopError(
        'E_FAILED',
        `the snapshot is of the image ${meta.image}, the box of ${plan.image}`,
        {
          hint: `set [sandbox] image = ${JSON.stringify(meta.image)}, then: coop stop ${box.name}; coop start ${box.name}`,
        },
      )
    if (JSON.stringify(meta.ids) !== JSON.stringify(plan.ids))
      throw new CoopError('E_FAILED', 'the user ids of the box have changed since the snapshot', {
        hint: 'bring back the ranges in /etc/subuid and /etc/subgid that your user had then',
      })
    if (!workspace) return
    if (meta.files === 'none' && meta.touched === undefined)
      throw new CoopError('E_USAGE', `the snapshot ${meta.name} holds no files of the workspace`, {
        hint: 'restore without --workspace',
      })
    if (meta.workspace !== plan.workspace.source.path)
      throw new CoopError(
        'E_WORKSPACE',
        `the snapshot holds files of ${meta.workspace}, which is not this box's`,
        {
          hint: 'restore without --workspace',
        },
      )
  }

  #meta(box: string, name: string): SnapshotMeta {
    const meta = readMeta(this.#engine.context.paths, box, name)
    if (meta) return meta
    throw this.#none(box, name)
  }

  #none(box: string, name: string): CoopError {
    return new CoopError('E_FAILED', `there is no snapshot ${name} of the box ${box}`, {
      hint: `coop snapshot ls ${box}`,
    })
  }

  #boxOf(target: Target): Box {
    try {
      return this.#engine.registry.find(target)
    } catch (error) {
      if (this.#isUnknown(target)) throw error
      const [meta] = this.#gone(target)
      if (!meta) throw error
      throw new CoopError('E_NO_BOX', `the box ${meta.box} of this snapshot is gone`, {
        hint: `create it again, then restore: coop -d -n ${meta.box} -w ${meta.workspace}`,
        cause: error,
      })
    }
  }

  /** Returns whether the target is an existing box that cannot be read. */
  #isUnknown({ box, cwd }: Target): boolean {
    return this.#engine.registry.unknown.some(
      ({ name, workspace }) => name === box || workspace === resolve(cwd, box ?? '.'),
    )
  }

  /** Finds the snapshots of a box that may be gone, by its name or its workspace. */
  #gone({ box, cwd }: Target): SnapshotMeta[] {
    const { paths } = this.#engine.context
    if (box !== undefined && isBoxName(box) && existsSync(boxSnapshotsDir(paths, box)))
      return findSnapshots(paths, box)
    const all = findSnapshots(paths)
    for (let at = resolve(cwd, box ?? '.'); ; at = dirname(at)) {
      const there = all.filter(({ workspace }) => workspace === at)
      if (there.length || box !== undefined || at === dirname(at)) return there
    }
  }

  #nameOf(target: Target): string {
    try {
      return this.#engine.registry.findAny(target).name
    } catch (error) {
      const [meta] = this.#gone(target)
      if (!meta) throw error
      return meta.box
    }
  }
}
