/** The life of one box: from plan to init, its processes and PTYs, and its end. Knows no socket of clients. */

import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Batch, BatchError } from '../../ffi/batch.ts'
import { Channel } from '../../ffi/channel.ts'
import { listenUnix, SOCK_STREAM } from '../../ffi/descriptors.ts'
import { detachedMount } from '../../ffi/mounts.ts'
import { hasEnded, openPidfd, signalPidfd } from '../../ffi/processes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { boxDir, boxRuntimeDir, initSocket, type Paths } from '../config/paths.ts'
import { CoopError } from '../errors.ts'
import type { Source } from '../sandbox/plan.ts'
import { startTimeOf } from './birth.ts'
import { type HostFacts, sourceOf } from './host.ts'
import { MANIFEST_VERSION, type Manifest, type PtyRecord, writeManifest } from './manifest.ts'
import type { Nursery } from './nursery.ts'
import type { Prepared } from './prepare.ts'
import {
  exitCodeOf,
  MASTER_RESULT,
  processBatch,
  SLAVE_RESULT,
  type Stdio,
  type WindowSize,
} from './process.ts'
import { Pty } from './pty.ts'
import { isCrashLoop, recentEnds } from './restarts.ts'
import { Ring } from './ring.ts'
import { planSources, setupBatch } from './setup.ts'
import { setupError } from './setup-error.ts'
import { discardStore, makeBoxFolder, prepareStore } from './storage.ts'

const SIGKILL = 9
const SIGTERM = 15
const SIGHUP = 1
export const GRACE_MS = 5_000 // what a program gets to save its work after SIGTERM
const END_POLL_MS = 1 // the kernel tells the end of a whole pid namespace by its init's pidfd only
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

export interface ProcessRequest {
  readonly command: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly stdio: Stdio
}

export interface Started {
  readonly pid: number
  /** The exit code as a shell has it. Rejects with a BatchError when the program could not be started. */
  readonly exited: Promise<number>
  readonly master: { readonly fd: number; readonly initFd: number; readonly slave: number } | undefined
}

interface Waiter {
  readonly resolve: (code: number) => void
  readonly reject: (error: Error) => void
}

export class Box {
  readonly ptys = new Map<number, Pty>()
  readonly #context: BoxContext
  #manifest: Manifest
  #channel: Channel | undefined
  #pidfd: number | undefined
  #waiters = new Map<number, Waiter>()
  #early = new Map<number, { status: number; failure: BatchError | undefined }>()
  #restartTimer: Timer | undefined
  #ending: Promise<void> | undefined
  #userRestart = false

  private constructor(context: BoxContext, manifest: Manifest) {
    this.#context = context
    this.#manifest = manifest
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
    const sources = planSources(plan).map((planned) => planned.source)
    const prepared = this.#preparedMounts([store, ...sources], pid)
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

  #preparedMounts(sources: readonly Source[], pid: number): Map<string, number> {
    const mounts = new Map<string, number>()
    const { plan } = this.#manifest
    const namespace = openSync(`/proc/${pid}/ns/user`, 'r')
    const recursive = new Set(
      planSources(plan)
        .filter((p) => p.recursive)
        .map((p) => p.source.path),
    )
    try {
      for (const source of sources) {
        if (mounts.has(source.path)) continue
        const shifted = source.owner === 'user'
        mounts.set(
          source.path,
          detachedMount(source, recursive.has(source.path), shifted ? namespace : undefined),
        )
      }
      return mounts
    } catch (error) {
      for (const fd of mounts.values()) closeDescriptor(fd)
      throw error
    } finally {
      closeSync(namespace)
    }
  }

  /** A box whose daemon died: connect to its init and take the terminals back. */
  static async adopt(context: BoxContext, manifest: Manifest): Promise<Box | undefined> {
    const { init } = manifest
    if (manifest.state !== 'running' || !init || startTimeOf(init.pid) !== init.startTime) return undefined
    const box = new Box(context, manifest)
    box.#pidfd = openPidfd(init.pid)
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
    for (const record of manifest.ptys) if (record.pid !== undefined) box.#watchPty(record.id, record.pid)
    for (const record of manifest.ptys) if (record.state === 'restarting') box.#scheduleRestart()
    return box
  }

  #events() {
    return {
      exit: (pid: number, status: number, failure: BatchError | undefined) => {
        const batch = new Batch()
        batch.forget(pid)
        void this.#channel?.run(batch).catch(() => {})
        this.#settle(pid, status, failure)
      },
      close: () => {
        if (!this.#ending) void this.end({ force: true, reason: 'its init was killed' })
      },
    }
  }

  #settle(pid: number, status: number, failure: BatchError | undefined): void {
    const waiter = this.#waiters.get(pid)
    if (!waiter) {
      this.#early.set(pid, { status, failure })
      return
    }
    this.#waiters.delete(pid)
    if (failure) waiter.reject(failure)
    else waiter.resolve(exitCodeOf(status))
  }

  #exitOf(pid: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    promise.catch(() => {})
    this.#waiters.set(pid, { resolve, reject })
    const early = this.#early.get(pid)
    if (early) {
      this.#early.delete(pid)
      this.#settle(pid, early.status, early.failure)
    }
    return promise
  }

  #live(): Channel {
    if (!this.#channel || this.#channel.closed || this.#ending)
      throw new CoopError('E_BOX_STATE', `the box ${this.name} is not running`, { hint: `coop ls` })
    return this.#channel
  }

  /** Start a process. */
  async start(request: ProcessRequest): Promise<Started> {
    const { plan } = this.#manifest
    const batch = processBatch({
      ...request,
      confinement: plan.confinement,
      limits: plan.limits,
      lastCapability: this.#context.host.lastCapability,
    })
    const reply = await this.#live().run(batch)
    const pid = reply.results.at(-1) ?? -1
    const fd = reply.fds[0]
    const master =
      fd === undefined
        ? undefined
        : { fd, initFd: reply.results[MASTER_RESULT] ?? -1, slave: reply.results[SLAVE_RESULT] ?? -1 }
    return { pid, exited: this.#exitOf(pid), master }
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
    const started = await this.start({ command, cwd, environment, stdio: { kind: 'terminal', size } })
    if (!started.master) throw new CoopError('E_FAILED', 'the box opened no terminal')
    const used = new Set(this.#manifest.ptys.map((record) => record.id))
    let id = this.#manifest.kind === 'agent' && command === this.#manifest.agent.command ? 0 : 1
    while (used.has(id)) id++
    rmSync(this.#ringPath(id), { force: true })
    const pty = new Pty(id, started.master.fd, Ring.create(this.#ringPath(id)), size)
    this.ptys.set(id, pty)
    const record: PtyRecord = {
      id,
      command,
      master: started.master.initFd,
      slave: started.master.slave,
      pid: started.pid,
      state: 'running',
      exitCode: undefined,
      ends: [],
    }
    this.#update({ ptys: [...this.#manifest.ptys, record] })
    this.#watch(id, started.exited)
    return { pty, pid: started.pid, exited: started.exited }
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

  #watchPty(id: number, pid: number): void {
    this.#watch(id, this.#exitOf(pid))
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
      const { pid, exited } = await this.start({
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
      await this.signal(record.pid, SIGTERM)
      return
    }
    this.#updatePty(0, { state: 'restarting', ends: [] })
    await this.#restartAgent()
  }

  /** Signal a process of the box and its process group. */
  async signal(pid: number, signal: number): Promise<void> {
    const batch = new Batch()
    batch.call('kill', [-pid, signal], { mayFail: true })
    await this.#live().run(batch)
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
    if (!force) await this.#askToEnd()
    const { init } = this.#manifest
    if (this.#pidfd !== undefined && init && startTimeOf(init.pid) === init.startTime)
      signalPidfd(this.#pidfd, SIGKILL)
    while (this.#pidfd !== undefined && !hasEnded(this.#pidfd)) await Bun.sleep(END_POLL_MS)
    if (this.#pidfd !== undefined) closeDescriptor(this.#pidfd)
    this.#pidfd = undefined
    this.#channel?.close()
    for (const pty of this.ptys.values()) pty.close()
    this.ptys.clear()
    for (const waiter of this.#waiters.values()) waiter.resolve(128 + SIGKILL)
    this.#waiters.clear()
    rmSync(boxRuntimeDir(this.#context.paths, this.name), { recursive: true, force: true })
    discardStore(this.#context.paths, this.name)
    this.#context.log('box-end', { box: this.name, reason })
    this.#context.ended(this)
  }

  /** SIGTERM to everything, then wait until only init is left or the grace is over. */
  async #askToEnd(): Promise<void> {
    const ask = new Batch()
    ask.call('kill', [-1, SIGTERM], { mayFail: true })
    // A shell ignores SIGTERM when it is interactive; a hang-up it heeds.
    ask.call('kill', [-1, SIGHUP], { mayFail: true })
    try {
      await this.#channel?.run(ask)
      const deadline = Date.now() + GRACE_MS
      for (;;) {
        const probe = new Batch()
        probe.call('kill', [-1, 0], { mayFail: true })
        const reply = await this.#channel?.run(probe)
        if ((reply?.results[0] ?? -1) < 0 || Date.now() > deadline) return
        await Bun.sleep(10)
      }
    } catch {
      // Init is gone already.
    }
  }
}
