/** The life of one box: from plan to init, its processes and PTYs, and its end. Knows no socket of clients. */

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Batch, BatchError } from '../../ffi/batch.ts'
import { Channel } from '../../ffi/channel.ts'
import { listenUnix, SOCK_STREAM } from '../../ffi/descriptors.ts'
import { openPidfd } from '../../ffi/processes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { boxDir, boxRuntimeDir, initSocket, type Paths } from '../config/paths.ts'
import { CoopError } from '../errors.ts'
import type { Source } from '../sandbox/plan.ts'
import { startTimeOf } from './birth.ts'
import { askToEnd, GRACE_MS, killAll } from './end.ts'
import { type HostFacts, sourceOf } from './host.ts'
import { MANIFEST_VERSION, type Manifest, type PtyRecord, writeManifest } from './manifest.ts'
import type { Nursery } from './nursery.ts'
import type { Prepared } from './prepare.ts'
import { prepareMounts } from './prepared-mounts.ts'
import type { WindowSize } from './process.ts'
import { Processes } from './processes.ts'
import { Pty } from './pty.ts'
import { isCrashLoop, recentEnds } from './restarts.ts'
import { Ring } from './ring.ts'
import { setupBatch } from './setup.ts'
import { setupError } from './setup-error.ts'
import { discardStore, makeBoxFolder, prepareStore } from './storage.ts'

const SIGHUP = 1
const SIGKILL = 9
const SIGTERM = 15
const KILLED = 128 + 9 // the exit code of what ended with its box
const FIRST_SIZE: WindowSize = { columns: 80, rows: 24 } // until somebody attaches

/** What every box needs of the daemon. */
export interface BoxContext {
  readonly paths: Paths
  readonly host: HostFacts
  readonly zygote: Channel
  readonly nursery: Nursery
  log(event: string, fields?: Readonly<Record<string, unknown>>): void
  /** The box is gone or stopped. */
  ended(box: Box): void
  /** Something a listing shows has changed. */
  changed(box: Box): void
}

export class Box {
  readonly ptys = new Map<number, Pty>()
  readonly #context: BoxContext
  #manifest: Manifest
  #channel: Channel | undefined
  #pidfd: number | undefined
  #restartTimer: Timer | undefined
  #ending: Promise<void> | undefined
  #userRestart = false

  readonly processes: Processes

  private constructor(context: BoxContext, manifest: Manifest) {
    this.#context = context
    this.#manifest = manifest
    this.processes = new Processes(manifest.plan, context.host.lastCapability, () => this.#live())
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

  /** Make a box. When this throws, nothing of it is left. */
  static async create(context: BoxContext, prepared: Prepared, kind: Manifest['kind']): Promise<Box> {
    const { plan, config } = prepared
    makeBoxFolder(context.paths, plan.name)
    const box = new Box(context, {
      version: MANIFEST_VERSION,
      name: plan.name,
      state: 'creating',
      reason: undefined,
      created: Date.now(),
      kind,
      plan,
      hidden: prepared.hidden,
      agent: prepared.agent,
      autoRestart: config.session.auto_restart,
      restartDelayMs: config.session.restart_delay_ms,
      shell: config.sandbox.shell,
      detachKey: config.session.detach_key,
      init: undefined,
      ptys: [],
    })
    try {
      writeManifest(context.paths, box.#manifest)
      await box.#birth(prepared.homeFiles)
      return box
    } catch (error) {
      await box.end({ force: true })
      throw error instanceof BatchError ? setupError(error, plan) : error
    }
  }

  async #birth(homeFiles: Readonly<Record<string, string>>): Promise<void> {
    const { paths, nursery } = this.#context
    const { plan } = this.#manifest
    const { channel, init, mapped } = await nursery.take(plan.ids, plan.network, this.#events())
    this.#channel = channel
    this.#pidfd = openPidfd(init.pid)
    this.#update({ init })
    // While newuidmap and newgidmap run, the files and the batch are made on this processor.
    const store = this.#files(homeFiles)
    const runtime = boxRuntimeDir(paths, plan.name)
    rmSync(runtime, { recursive: true, force: true })
    mkdirSync(runtime, { recursive: true, mode: 0o700 })
    const listener = listenUnix(initSocket(paths, plan.name), SOCK_STREAM)
    try {
      const early =
        plan.ids.kind === 'root' ? undefined : setupBatch({ plan, store, prepared: new Map(), listener })
      await mapped
      await (early ? channel.run(early) : this.#setupAsRoot(store, listener, channel, init.pid))
    } finally {
      closeDescriptor(listener)
    }
    this.#update({ state: 'running' })
  }

  /** When root invokes coop, mounts come from the daemon: init has no rights over the host's files. */
  async #setupAsRoot(store: Source, listener: number, channel: Channel, pid: number): Promise<void> {
    const { plan } = this.#manifest
    const prepared = prepareMounts(plan, store, pid)
    try {
      await channel.run(setupBatch({ plan, store, prepared, listener }))
    } finally {
      for (const fd of prepared.values()) closeDescriptor(fd)
    }
  }

  #files(homeFiles: Readonly<Record<string, string>>): Source {
    const { paths } = this.#context
    prepareStore(paths, this.#manifest.plan, homeFiles)
    const store = sourceOf(boxDir(paths, this.name), 'box')
    if (!store) throw new CoopError('E_FAILED', 'the folder of the box is gone')
    return store
  }

  /** A box whose daemon died: connect to its init and take the terminals back. */
  static async adopt(context: BoxContext, manifest: Manifest): Promise<Box | undefined> {
    const { init } = manifest
    if (!init) return undefined
    const pidfd = openPidfd(init.pid)
    // Compared after the handle was taken: it cannot come to mean another process any more.
    if (pidfd === undefined || startTimeOf(init.pid) !== init.startTime) {
      if (pidfd !== undefined) closeDescriptor(pidfd)
      return undefined
    }
    if (manifest.state !== 'running') {
      // Its daemon died while init was at the batch that makes it whole, after which it would live on.
      await killAll(pidfd)
      closeDescriptor(pidfd)
      return undefined
    }
    const box = new Box(context, manifest)
    box.#pidfd = pidfd
    box.#channel = await Channel.connect(initSocket(context.paths, manifest.name), box.#events())
    const batch = new Batch()
    for (const record of manifest.ptys)
      batch.call('fcntl', [record.master, 1030 /* F_DUPFD_CLOEXEC */, 3], { send: true, scoped: true })
    const { fds } = await box.#channel.run(batch)
    manifest.ptys.forEach((record, index) => {
      const fd = fds[index]
      if (fd !== undefined)
        box.ptys.set(record.id, new Pty(record.id, fd, Ring.open(box.#ringPath(record.id)), FIRST_SIZE))
    })
    for (const record of manifest.ptys)
      if (record.pid !== undefined) box.#watch(record.id, box.processes.exitOf(record.pid))
    for (const record of manifest.ptys) if (record.state === 'restarting') box.#scheduleRestart()
    return box
  }

  #events() {
    return {
      exit: (pid: number, status: number, failure: BatchError | undefined) => {
        const batch = new Batch()
        batch.forget(pid)
        void this.#channel?.run(batch).catch(() => {})
        this.processes.settle(pid, { status, failure })
      },
      close: () => {
        if (!this.#ending) void this.end({ force: true, reason: 'its init was killed' })
      },
    }
  }

  #live(): Channel {
    if (!this.#channel || this.#channel.closed || this.#ending)
      throw new CoopError('E_BOX_STATE', `the box ${this.name} is not running`, { hint: `coop ls` })
    return this.#channel
  }

  #ringPath(id: number): string {
    return join(boxRuntimeDir(this.#context.paths, this.name), `pty-${id}.ring`)
  }

  /** Start a process on a new PTY of the box. */
  async open(
    command: readonly string[],
    cwd: string,
    environment: Readonly<Record<string, string>>,
    size: WindowSize,
  ): Promise<{ pty: Pty; pid: number; exited: Promise<number> }> {
    const stdio = { kind: 'terminal', size } as const
    const { pid, exited, terminal } = await this.processes.start({ command, cwd, environment, stdio })
    if (!terminal) throw new CoopError('E_FAILED', 'the box opened no terminal')
    const used = new Set(this.#manifest.ptys.map((record) => record.id))
    let id = this.#manifest.kind === 'agent' && command === this.#manifest.agent.command ? 0 : 1
    while (used.has(id)) id++
    rmSync(this.#ringPath(id), { force: true })
    const pty = new Pty(id, terminal.fd, Ring.create(this.#ringPath(id)), size)
    this.ptys.set(id, pty)
    const record: PtyRecord = {
      id,
      command,
      master: terminal.master,
      slave: terminal.slave,
      pid,
      state: 'running',
      exitCode: undefined,
      ends: [],
    }
    this.#update({ ptys: [...this.#manifest.ptys, record] })
    this.#watch(id, exited)
    return { pty, pid, exited }
  }

  /** The agent, on PTY 0. */
  async startAgent(): Promise<void> {
    const { plan, agent } = this.#manifest
    await this.open(agent.command, plan.workspace.target, this.terminalEnvironment(undefined), FIRST_SIZE)
  }

  terminalEnvironment(term: string | undefined): Record<string, string> {
    return {
      TERM: term && /^[\w.+-]{1,64}$/.test(term) ? term : 'xterm-256color',
      ...this.#manifest.plan.environment,
    }
  }

  record(id: number): PtyRecord | undefined {
    return this.#manifest.ptys.find((record) => record.id === id)
  }

  #updatePty(id: number, change: Partial<PtyRecord>): void {
    this.#update({
      ptys: this.#manifest.ptys.map((record) => (record.id === id ? { ...record, ...change } : record)),
    })
  }

  #watch(id: number, exited: Promise<number>): void {
    exited.then(
      (code) => this.#ptyEnded(id, code, undefined),
      (error: Error) => this.#ptyEnded(id, 127, error),
    )
  }

  async #ptyEnded(id: number, code: number, error: Error | undefined): Promise<void> {
    const pty = this.ptys.get(id)
    if (this.#ending || !pty) return
    await pty.drained()
    if (error) pty.say(`\r\n[coop: ${error.message}]\r\n`)
    if (id !== 0 || this.#manifest.kind !== 'agent') return this.closePty(id)
    const wanted = this.#userRestart
    this.#userRestart = false
    const ends = wanted ? [] : recentEnds(this.record(0)?.ends ?? [], Date.now())
    this.#context.log('agent-end', { box: this.name, code })
    if (!wanted && (!this.#manifest.autoRestart || isCrashLoop(ends))) {
      const crashed = this.#manifest.autoRestart
      this.#updatePty(0, { state: crashed ? 'crashed' : 'ended', exitCode: code, ends, pid: undefined })
      const why = crashed
        ? `ended five times within ten seconds (last exit code ${code})`
        : `ended (exit code ${code})`
      pty.say(`\r\n[coop: the agent ${why}; start it again: coop restart ${this.name}]\r\n`)
      return
    }
    if (!wanted) pty.say(`\r\n[coop: the agent ended (exit code ${code}); starting it again]\r\n`)
    this.#updatePty(0, { state: 'restarting', exitCode: code, ends, pid: undefined })
    if (wanted) await this.#restartAgent()
    else this.#scheduleRestart()
  }

  #scheduleRestart(): void {
    this.#restartTimer = setTimeout(() => void this.#restartAgent(), this.#manifest.restartDelayMs)
  }

  async #restartAgent(): Promise<void> {
    const record = this.record(0)
    if (this.#ending || !record) return
    clearTimeout(this.#restartTimer)
    try {
      const { pid, exited } = await this.processes.start({
        command: this.#manifest.agent.command,
        cwd: this.#manifest.plan.workspace.target,
        environment: this.terminalEnvironment(undefined),
        stdio: { kind: 'same-terminal', slave: record.slave },
      })
      this.#updatePty(0, { pid, state: 'running' })
      this.#watch(0, exited)
    } catch (error) {
      this.#context.log('restart-failed', { box: this.name, error: String(error) })
    }
  }

  /** End the agent, if it runs, and start it again; clients stay. */
  async restart(): Promise<void> {
    const record = this.record(0)
    if (!record) throw new CoopError('E_BOX_STATE', `the box ${this.name} has no agent`)
    if (record.state === 'running' && record.pid !== undefined) {
      this.#userRestart = true
      const { pid } = record
      await this.processes.signal(pid, SIGTERM)
      const insist = (): void => {
        if (!this.#ending && this.record(0)?.pid === pid)
          void this.processes.signal(pid, SIGKILL).catch(() => {})
      }
      setTimeout(insist, GRACE_MS).unref()
      return
    }
    this.#updatePty(0, { state: 'restarting', ends: [] })
    await this.#restartAgent()
  }

  /** Hang up a PTY: its processes get SIGHUP, its ring goes. */
  async closePty(id: number): Promise<void> {
    const record = this.record(id)
    const pty = this.ptys.get(id)
    if (!record || !pty) return
    this.ptys.delete(id)
    this.#update({ ptys: this.#manifest.ptys.filter((other) => other.id !== id) })
    const batch = new Batch()
    if (record.pid !== undefined) batch.call('kill', [-record.pid, SIGHUP], { mayFail: true })
    batch.call('close', [record.master], { mayFail: true })
    batch.call('close', [record.slave], { mayFail: true })
    await this.#channel?.run(batch).catch(() => {})
    pty.close()
    rmSync(this.#ringPath(id), { force: true })
  }

  #update(change: Partial<Manifest>): void {
    this.#manifest = { ...this.#manifest, ...change }
    if (this.#ending) return
    writeManifest(this.#context.paths, this.#manifest)
    this.#context.changed(this)
  }

  /** End every process and remove the box. Resolves when nothing of it is left. Never throws. */
  end(options: { readonly force: boolean; readonly reason?: string }): Promise<void> {
    this.#ending ??= this.#end(options)
    return this.#ending
  }

  async #end({ force, reason }: { readonly force: boolean; readonly reason?: string }): Promise<void> {
    clearTimeout(this.#restartTimer)
    if (!force && this.#channel) await askToEnd(this.#channel)
    if (this.#pidfd !== undefined) {
      await killAll(this.#pidfd)
      closeDescriptor(this.#pidfd)
    }
    this.#channel?.close()
    for (const pty of this.ptys.values()) pty.close()
    this.ptys.clear()
    this.processes.endAll(KILLED)
    rmSync(boxRuntimeDir(this.#context.paths, this.name), { recursive: true, force: true })
    discardStore(this.#context.paths, this.name)
    this.#context.log('box-end', { box: this.name, reason })
    this.#context.ended(this)
  }
}
