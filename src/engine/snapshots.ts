/** `coop snapshot`: keeps a copy of a box's files, and puts it back. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { exchange } from '../../ffi/tree.ts'
import type { Box } from '../box/box.ts'
import type { BoxContext } from '../box/context.ts'
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
  restoredDir,
  type SnapshotMeta,
  snapshotUpper,
  snapshotWorkspace,
} from '../store/snapshots.ts'
import { discard, diskError, makeOwned } from '../store/storage.ts'
import { copyTree, syncTree } from '../trees/copier.ts'
import { restoreWorkspace, saveWorkspace, surplus } from '../trees/workspace-copy.ts'
import { listWorkspace } from '../trees/workspace-list.ts'
import { asJob } from './job.ts'
import type { Registry } from './registry.ts'
import { checkState, whileStill } from './still.ts'

const SHOWN = 5 // files that an error names

type Create = Request<'snapshot.create'>
type Restore = Request<'snapshot.restore'>

function infoOf({ ids: _, below: __, ...info }: SnapshotMeta): SnapshotInfo {
  return info
}

export class Snapshots {
  readonly #registry: Registry
  readonly #context: BoxContext
  /** Empties the trash. */
  readonly #clean: () => void
  /**
   * The last work of each box. Work on one box runs one after the other: a thaw would thaw the other work's freeze,
   * too.
   */
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(registry: Registry, context: BoxContext, clean: () => void) {
    this.#registry = registry
    this.#context = context
    this.#clean = clean
  }

  /** Copies a box's files. `signal` is aborted when the client is gone; then the snapshot is dropped. */
  async create(request: Create, signal: AbortSignal): Promise<SnapshotInfo> {
    if (!isBoxName(request.name))
      throw new CoopError('E_USAGE', `${JSON.stringify(request.name)} is not a valid name for a snapshot`, {
        hint: BOX_NAME_RULE,
      })
    const box = this.#registry.find(request)
    return this.alone(box.name, () =>
      this.#job(box, 'snapshot', request.name, () => this.#create(box, request, signal)),
    )
  }

  /** Puts a box's files back, completely, even when the client leaves meanwhile. */
  async restore(request: Restore): Promise<Reply<'snapshot.restore'>> {
    const box = this.#boxOf(request)
    return this.alone(box.name, () =>
      this.#job(box, 'restore', request.name, () => this.#restore(box, request)),
    )
  }

  async remove({ name, ...target }: Request<'snapshot.remove'>): Promise<Reply<'snapshot.remove'>> {
    const { paths } = this.#context
    const box = this.#nameOf(target)
    return this.alone(box, async () => {
      if (!hasSnapshot(paths, box, name)) throw this.#none(box, name)
      discardSnapshot(paths, snapshotDir(paths, box, name), box)
      this.#clean()
      return { box }
    })
  }

  /** Lists all snapshots, or those of one box. */
  list(target: Target): readonly SnapshotInfo[] {
    const { paths } = this.#context
    const box = target.box === undefined ? undefined : this.#nameOf(target)
    return [...findSnapshots(paths, box).map(infoOf), ...findUnknownSnapshots(paths, box)]
  }

  #job<T>(box: Box, job: 'snapshot' | 'restore', name: string, work: () => Promise<T>): Promise<T> {
    return asJob(this.#context.bus, { box: box.name, job, name }, work)
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
    const { paths, host, log } = this.#context
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
        size = (await copyTree(this.#context, plan.ids, upperDir(paths, box.name), upper, signal)).bytes
        if (!call.workspace) return
        const found = await listWorkspace(workspace, host.home, call.ignored, signal)
        files = found.kind
        mkdirSync(snapshotWorkspace(fresh), { mode: 0o700 })
        const saved = await saveWorkspace(workspace, snapshotWorkspace(fresh), found.paths, signal)
        size += saved.size
        const repositories = [...found.nested, ...saved.submodules.map((path) => `${path}/`)]
        leftOut = repositories.map((path) => Buffer.from(path, 'latin1').toString())
      })
      await syncTree(this.#context, plan.ids, fresh) // so that after a power cut it is whole or absent
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
      this.#clean()
      throw diskError(error, `the snapshot in ${snapshotsDir(paths)}`)
    }
  }

  async #restore(
    box: Box,
    call: Restore,
  ): Promise<{ warnings: readonly string[]; running: boolean; box: string }> {
    const { paths, log } = this.#context
    const meta = this.#meta(box.name, call.name)
    const { plan } = box.manifest
    this.#checkFits(meta, box, call.workspace)
    checkState(box)
    const folder = snapshotDir(paths, box.name, call.name)
    const doomed = call.workspace ? await this.#doomed(meta, call) : []
    const fresh = restoredDir(paths, box.name)
    const wasRunning = box.running
    try {
      discard(paths, fresh)
      makeOwned(fresh, plan.ids)
      await copyTree(this.#context, plan.ids, snapshotUpper(folder), fresh)
      await this.#registry.starts.settled(box.name)
      if (wasRunning) await box.stop({ force: false, reason: `coop snapshot restore ${call.name}` })
      if (box.ending || box.manifest.state !== 'stopped')
        throw new CoopError('E_BOX_STATE', `the box ${box.name} was started or ended meanwhile`, {
          hint: 'coop ls',
        })
      // Atomic: a daemon that is killed here leaves the box with its old files or with its new ones.
      exchange(upperDir(paths, box.name), fresh)
      if (call.workspace) await restoreWorkspace(meta.workspace, snapshotWorkspace(folder), doomed)
    } catch (error) {
      throw diskError(error, `the files of the box in ${upperDir(paths, box.name)}`)
    } finally {
      discard(paths, fresh)
      this.#clean()
    }
    log('snapshot-restored', { box: box.name, name: call.name })
    if (!wasRunning) return { warnings: [], running: false, box: box.name }
    try {
      const { warnings } = await this.#registry.start(box.name, call.environment)
      return { warnings, running: true, box: box.name }
    } catch (error) {
      // The files are back, and with them an older coop.toml, which only needs the user's consent.
      if (!(error instanceof CoopError) || error.code !== 'E_TRUST') throw error
      return { warnings: [`${error.message}; ${error.hint}`], running: false, box: box.name }
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
    if (meta.files === 'none')
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

  /**
   * Returns files of the workspace that are not in the snapshot. Raises E_WORKSPACE when there are any, without
   * `force`.
   */
  async #doomed(meta: SnapshotMeta, call: Restore): Promise<string[]> {
    const { paths, host } = this.#context
    const saved = snapshotWorkspace(snapshotDir(paths, meta.box, meta.name))
    const now = await listWorkspace(meta.workspace, host.home, meta.files === 'with-ignored')
    if ((now.kind === 'folder') !== (meta.files === 'folder'))
      throw new CoopError('E_WORKSPACE', `${meta.workspace} has become or ceased to be a git repository`, {
        hint: 'restore without --workspace',
      })
    const doomed = await surplus(meta.workspace, saved, now.paths)
    if (!doomed.length || call.force) return doomed
    const some = doomed.slice(0, SHOWN).map((path) => Buffer.from(path, 'latin1').toString())
    const more = doomed.length > SHOWN ? ` and ${doomed.length - SHOWN} more` : ''
    throw new CoopError(
      'E_WORKSPACE',
      `this would delete files that are not in the snapshot: ${some.join(', ')}${more}`,
      {
        hint: `keep them in another snapshot first, or delete them: coop snapshot restore ${meta.box} ${meta.name} --workspace --force`,
      },
    )
  }

  #meta(box: string, name: string): SnapshotMeta {
    const meta = readMeta(this.#context.paths, box, name)
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
      return this.#registry.find(target)
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
    return this.#registry.unknown.some(
      ({ name, workspace }) => name === box || workspace === resolve(cwd, box ?? '.'),
    )
  }

  /** Finds the snapshots of a box that may be gone, by its name or its workspace. */
  #gone({ box, cwd }: Target): SnapshotMeta[] {
    const { paths } = this.#context
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
      return this.#registry.findAny(target).name
    } catch (error) {
      const [meta] = this.#gone(target)
      if (!meta) throw error
      return meta.box
    }
  }
}
