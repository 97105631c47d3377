/** The life of one box, from plan to init to its end. This module knows nothing of clients and their sockets. */

import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { SOCK_STREAM } from '../../ffi/abi/constants.ts'
import { Batch, type BatchError } from '../../ffi/batch.ts'
import { Channel } from '../../ffi/channel.ts'
import { listenUnix } from '../../ffi/descriptors.ts'
import { openPidfd } from '../../ffi/processes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Watcher } from '../../ffi/watcher.ts'
import { prepareMounts } from '../container/detached-mounts.ts'
import { askToEnd, killAll } from '../container/end.ts'
import { Processes } from '../container/processes.ts'
import { type SetupInput, setupBatch } from '../container/setup-batch.ts'
import { setupError } from '../container/setup-error.ts'
import { CoopError } from '../core/errors.ts'
import { boxDir, boxRuntimeDir, initSocket } from '../core/paths.ts'
import { bootId } from '../host/boot.ts'
import { sourceOf } from '../host/facts.ts'
import { MemoryMeter } from '../host/memory.ts'
import type { Prepared } from '../plan/prepare.ts'
import type { CoopEvent } from '../protocol/events.ts'
import type { Caller } from '../sandbox/caller.ts'
import { ownerInside } from '../sandbox/ids.ts'
import type { Source } from '../sandbox/plan.ts'
import { noteInit, removeInitRecord } from '../store/init-record.ts'
import type { Newer } from '../store/kind.ts'
import { type BoxFlags, type CommandRecord, type Manifest, writeManifest } from '../store/manifest.ts'
import { discardStore, makeBoxFolder, prepareStore } from '../store/storage.ts'
import type { Activity } from '../terminal/activity.ts'
import { knownColors } from '../terminal/known-colors.ts'
import { forgetLastOutput, keepLastOutput, lastOutput } from '../terminal/last-output.ts'
import type { PtyEnd } from '../terminal/pty-client.ts'
import { BoxFiles } from '../trees/box-files.ts'
import { activityEvents } from './activity-events.ts'
import { BoxSecrets } from './box-secrets.ts'
import { type BoxContext, type BoxStop, settings } from './context.ts'
import { type EtcFiles, refreshed } from './follow-host.ts'
import type { Host } from './terminal-host.ts'
import { Terminals } from './terminals.ts'
import { initHandle, newerIn } from './unknown-box.ts'

const KILLED = 128 + 9 // the exit code of a program that ended with its box
const ENDED = { ended: 'box', code: KILLED } as const
const STOPPED = { ended: 'stopped', code: KILLED } as const

export class Box implements Host {
  readonly processes: Processes
  readonly terminals: Terminals
  readonly secrets: BoxSecrets
  readonly #context: BoxContext
  #manifest: Manifest
  #channel: Channel | undefined
  #pidfd: number | undefined
  #ending: Promise<void> | undefined
  #stopping = false
  #isLeaving = false
  readonly files = new BoxFiles(() => this.#live())
  readonly memory = new MemoryMeter()

  private constructor(context: BoxContext, manifest: Manifest) {
    this.#context = context
    this.#manifest = manifest
    this.secrets = new BoxSecrets(context, manifest.name)
    this.processes = new Processes(
      () => this.#manifest.plan,
      context.host.lastCapability,
      () => this.#live(),
    )
    this.terminals = new Terminals(this, knownColors(context.paths))
  }

  get manifest(): Manifest {
    return this.#manifest
  }

  get name(): string {
    return this.#manifest.name
  }

  get ending(): boolean {
    return this.#ending !== undefined
  }

  /** For a box that is ending: whether its files stay. */
  get stopping(): boolean {
    return this.#stopping
  }

  /** For a box that is ending: whether its processes are being killed, and its files go next. */
  get leaving(): boolean {
    return this.#isLeaving
  }

  get running(): boolean {
    return this.#manifest.state === 'running' && !this.#ending
  }

  get watcher(): Watcher {
    return this.#context.watcher
  }

  get runtimeDir(): string {
    return boxRuntimeDir(this.#context.paths, this.name)
  }

  log(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#context.log(event, fields)
  }

  emit(event: CoopEvent): void {
    this.#context.bus.emit(event)
  }

  does(doing: Activity | undefined): void {
    const before = this.#manifest.doing
    this.update({ doing })
    if (before === doing) return
    for (const event of activityEvents(this.name, before, doing)) this.emit(event)
  }

  /** Makes a box. When this throws, nothing of it is left. */
  static async create(
    context: BoxContext,
    prepared: Prepared,
    kind: Manifest['kind'],
    flags: BoxFlags,
    caller: Caller | undefined,
  ): Promise<Box> {
    makeBoxFolder(context.paths, prepared.plan.name)
    const box = new Box(context, {
      name: prepared.plan.name,
      state: 'creating',
      reason: undefined,
      created: Date.now(),
      kind,
      flags,
      ...settings(prepared, caller),
      init: undefined,
      ptys: [],
      commands: [],
      doing: undefined,
      caller,
    })
    try {
      writeManifest(context.paths, box.#manifest)
      await box.#birth(prepared)
      return box
    } catch (error) {
      await box.end({ force: true })
      throw setupError(error, prepared.plan)
    }
  }

  /** Returns a stopped box, as its manifest describes it. */
  static stopped(context: BoxContext, manifest: Manifest, reason: string | undefined): Box {
    const box = new Box(context, manifest)
    if (manifest.state !== 'stopped') keepLastOutput(context, manifest.name)
    box.#becomeStopped(reason)
    return box
  }

  async #birth({ homeFiles }: Prepared): Promise<void> {
    const { paths, nursery } = this.#context
    const { plan } = this.#manifest
    const { channel, init, cgroup, mapped } = await nursery.take(plan.ids, plan.network, this.#events())
    this.#channel = channel
    this.#pidfd = openPidfd(init.pid)
    const record = { ...init, boot: bootId() }
    const secrets = this.secrets.find(plan)
    this.update({ init: record, cgroup })
    noteInit(paths, plan.name, record)
    // This work overlaps with newuidmap and newgidmap, which are running now.
    const store = this.#files()
    rmSync(this.runtimeDir, { recursive: true, force: true })
    mkdirSync(this.runtimeDir, { recursive: true, mode: 0o700 })
    const listener = listenUnix(initSocket(paths, plan.name), SOCK_STREAM)
    try {
      const input = { plan, store, homeFiles, listener, ownCgroup: cgroup !== undefined }
      const early = plan.ids.kind === 'root' ? undefined : setupBatch({ ...input, prepared: new Map() })
      await mapped
      await (early ? channel.run(early) : this.#setupAsRoot(input, channel, init.pid))
    } finally {
      closeDescriptor(listener)
    }
    await this.secrets.cover(channel, await secrets) // earlier than the state: a box with less is no box
    this.update({ state: 'running', reason: undefined })
  }

  /** Opens the mounts in the daemon when root invokes coop: there, init has no rights over the host's files. */
  async #setupAsRoot(input: Omit<SetupInput, 'prepared'>, channel: Channel, pid: number): Promise<void> {
    const prepared = prepareMounts(input.plan, input.store, pid)
    try {
      await channel.run(setupBatch({ ...input, prepared }))
    } finally {
      for (const fd of prepared.values()) closeDescriptor(fd)
    }
  }

  #files(): Source {
    const { paths } = this.#context
    prepareStore(paths, this.#manifest.plan)
    const store = sourceOf(boxDir(paths, this.name), 'box')
    if (!store) throw new CoopError('E_FAILED', 'the folder of the box is gone')
    return store
  }

  /**
   * Adopts a box whose daemon died: connects to its init and takes the terminals back. Undefined when its init is dead.
   * Newer when only a newer release can adopt it; then nothing has changed.
   */
  static async adopt(context: BoxContext, manifest: Manifest): Promise<Box | Newer | undefined> {
    const { init } = manifest
    const pidfd = init && initHandle(init)
    if (!init || pidfd === undefined) return undefined
    if (manifest.state !== 'running') {
      // The daemon died while init was still setting up the box; left alone, init would finish and live on.
      await killAll(pidfd)
      closeDescriptor(pidfd)
      return undefined
    }
    const box = new Box(context, manifest)
    box.#pidfd = pidfd
    try {
      box.terminals.checkRings()
      box.#channel = await Channel.connect(initSocket(context.paths, manifest.name), box.#events())
      await box.terminals.adopt(box.#channel)
      void box.secrets.coverAgain(box.#channel, manifest.plan)
      noteInit(context.paths, manifest.name, init) // release 0.1.0 wrote no such record
    } catch (error) {
      const newer = newerIn(error)
      if (newer) closeDescriptor(pidfd)
      if (newer) return newer
      // Nobody can ever reach this box again, but it would go on using the workspace.
      context.log('adoption-failed', { box: manifest.name, error: String(error) })
      await box.#halt(true, STOPPED)
      return undefined
    }
    return box
  }

  #events() {
    return {
      exit: (pid: number, status: number, failure: BatchError | undefined) =>
        this.processes.settle(pid, { status, failure }),
      // While files are copied every process stands still, and nobody must notice.
      stop: (pid: number, signal: number) => this.#manifest.frozen || this.processes.stopped(pid, signal),
      close: () => {
        if (this.#ending || !this.running || !this.#channel) return // no channel yet: perhaps a newer release's init
        if (this.#manifest.kind === 'run') void this.end({ force: true, reason: 'its init was killed' })
        else void this.stop({ force: true, reason: 'its init was killed' })
      },
    }
  }

  /** Recreates the box's sockets after the runtime folder was deleted, so that the next daemon finds the box. */
  async reopen(): Promise<void> {
    if (!this.running || existsSync(this.runtimeDir)) return
    mkdirSync(this.runtimeDir, { recursive: true, mode: 0o700 })
    const listener = listenUnix(initSocket(this.#context.paths, this.name), SOCK_STREAM)
    try {
      const batch = new Batch()
      batch.listen(batch.fd(listener), ownerInside(this.#manifest.plan.ids))
      await this.#live().run(batch)
    } finally {
      closeDescriptor(listener)
    }
    this.terminals.reopen()
  }

  #live(): Channel {
    if (this.#channel && !this.#channel.closed && !this.#ending) return this.#channel
    throw new CoopError('E_BOX_STATE', `the box ${this.name} is not running`, {
      hint: this.#manifest.state === 'stopped' ? `coop start ${this.name}` : 'coop ls',
    })
  }

  /** Records a command that outlives its daemon: its client shows `token` to the next daemon. */
  keep(command: CommandRecord): void {
    this.update({ commands: [...this.#manifest.commands, command] })
  }

  /** Forgets a command: its client no longer waits for it, and it has ended or is about to. */
  async release({ token, pid, pty }: CommandRecord): Promise<void> {
    this.update({ commands: this.#manifest.commands.filter((other) => other.token !== token) })
    if (pty !== undefined) await this.terminals.close(pty, { ended: 'command', code: 0 })
    await this.processes.forget(pid)
  }

  /** Takes over new settings; those of mounts and the network apply from the next start. */
  configure(prepared: Prepared, caller: Caller | undefined): void {
    const { boot, layered, stubs } = this.#manifest // of mounts
    const plan = { ...this.#manifest.plan, environment: prepared.plan.environment }
    this.update({ ...settings(prepared, caller), boot, layered, stubs, plan })
  }

  update(change: Partial<Manifest>): void {
    const before = this.#manifest
    this.#manifest = { ...before, ...change }
    if (this.#ending) return
    try {
      writeManifest(this.#context.paths, this.#manifest)
    } catch (error) {
      // On a full disk, running and stopped boxes keep their state in memory: the next daemon can see it by itself. It
      // could not see that a box is frozen, so a failed write of that is an error.
      const { state } = this.#manifest
      if (state !== 'stopped' && (state !== 'running' || change.state || change.frozen)) {
        this.#manifest = before
        throw error
      }
      this.#context.log('manifest-not-written', { box: this.name, error: String(error) })
    }
    this.emit({ event: 'box', box: this.name, change: 'changed' })
  }

  /** Ends every process and removes the box. Resolves when nothing of it is left. Never throws. */
  async end({ force, reason }: { readonly force: boolean; readonly reason?: string }): Promise<void> {
    if (this.#stopping) await this.#ending // stopping keeps the files, which must go now
    await this.#once(async () => {
      await this.#halt(force, ENDED)
      discardStore(this.#context.paths, this.name)
      this.#context.log('box-end', { box: this.name, reason })
      this.#context.ended(this)
      this.#emitEnd('ended', reason)
    })
  }

  /** Ends every process and keeps the files. Never throws. */
  async stop({ force, reason, ended = 'stopped' }: BoxStop): Promise<void> {
    await this.#once(async () => {
      this.#stopping = true
      await this.#halt(force, { ended, code: KILLED, ...(reason === undefined ? {} : { reason }) })
      this.#stopping = false
      this.#ending = undefined
      this.#becomeStopped(reason)
      this.#context.log('box-stop', { box: this.name, reason })
    })
  }

  /** Runs one end of the box at a time: the first caller decides how it ends, later callers wait for that. */
  #once(work: () => Promise<void>): Promise<void> {
    this.#ending ??= work()
    return this.#ending
  }

  #becomeStopped(reason: string | undefined): void {
    removeInitRecord(this.#context.paths, this.name)
    const gone = { init: undefined, cgroup: undefined, ptys: [], commands: [], doing: undefined }
    this.update({ state: 'stopped', reason, ...gone })
    this.#emitEnd('stopped', reason)
  }

  #emitEnd(change: 'ended' | 'stopped', reason: string | undefined): void {
    this.emit({ event: 'box', box: this.name, change, ...(reason === undefined ? {} : { reason }) })
  }

  /** Starts a stopped box again, with its current configuration. */
  async start(prepared: Prepared, caller: Caller | undefined): Promise<void> {
    const before = this.#manifest
    this.update({ ...settings(prepared, caller), state: 'starting' })
    forgetLastOutput(this.#context.paths, this.name)
    try {
      await this.#birth(prepared)
      await this.refresh(before.plan, [prepared.plan]) // it may have files of the day when it was stopped
      await this.terminals.startAgent()
    } catch (error) {
      await this.stop({ force: true, reason: 'it did not start' })
      this.update({ plan: before.plan, boot: before.boot, layered: before.layered })
      throw setupError(error, prepared.plan)
    }
  }

  /** Replaces files that coop gave the box in `old` by those of `wanted`, where it still has them. */
  async refresh(old: EtcFiles, wanted: readonly EtcFiles[]): Promise<void> {
    await refreshed(this.#live(), this.#manifest.plan, old, wanted, (plan) => this.update({ plan }))
  }

  /** The last output of a stopped box's agent; undefined when it is not known. */
  get lastOutput(): Buffer | undefined {
    return lastOutput(this.#context.paths, this.name)
  }

  async #halt(force: boolean, end: PtyEnd): Promise<void> {
    if (!force && this.#channel) await askToEnd(this.#channel)
    this.#isLeaving = end.ended === 'box'
    if (this.#pidfd !== undefined) {
      await killAll(this.#pidfd)
      closeDescriptor(this.#pidfd)
      this.#pidfd = undefined
    }
    this.secrets.stop()
    this.#channel?.close()
    this.#channel = undefined
    this.#context.released(this.#manifest)
    this.terminals.closeAll(end)
    this.processes.endAll(KILLED)
    if (end.ended !== 'box') keepLastOutput(this.#context, this.name)
    rmSync(this.runtimeDir, { recursive: true, force: true })
  }
}
