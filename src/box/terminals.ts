/** The terminals of a box: opened, taken back after a crash, restarted, hung up. PTY 0 is the agent's. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as k from '../../ffi/abi/constants.ts'
import { Batch } from '../../ffi/batch.ts'
import type { Channel } from '../../ffi/channel.ts'
import { heldPipe } from '../../ffi/pipes.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { windowSize } from '../../ffi/terminal.ts'
import type { Facts } from '../answers/rule.ts'
import { GRACE_MS } from '../container/end.ts'
import { startFailure } from '../container/start-failure.ts'
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'
import { ringFile } from '../core/paths.ts'
import type { WindowSize } from '../core/window-size.ts'
import { terminalError } from '../host/kernel-limits.ts'
import type { Caller } from '../sandbox/caller.ts'
import { lastWords } from '../screen/words.ts'
import type { Manifest, PtyRecord } from '../store/manifest.ts'
import { refuseNewerRing } from '../store/ring.ts'
import { AgentWatch } from '../terminal/agent-watch.ts'
import { Pty } from '../terminal/pty.ts'
import type { PtyEnd } from '../terminal/pty-client.ts'
import { isCrashLoop, recentEnds } from '../terminal/restarts.ts'
import { Ring } from '../terminal/ring.ts'
import { loadScreens, ScreenKeeper } from '../terminal/screen-keeper.ts'
import { boundedSize } from '../terminal/window.ts'
import { againText, crashedText, endedText, isShell, restartedText } from './agent-words.ts'
import type { Host } from './terminal-host.ts'

const FIRST_SIZE: WindowSize = { columns: 80, rows: 24 } // until somebody attaches
const MAX_WORDS = 200 // characters, as of a notification

const ATTACH_MS = 3_000 // for the client that had the agent started; it takes some 30

export interface Opened {
  readonly pty: Pty
  readonly pid: number
  readonly exited: Promise<number>
}

export class Terminals {
  readonly ptys = new Map<number, Pty>()
  /** Whether the client that has the agent started is about to attach: then its terminal answers the first questions. */
  expectsClient = false
  readonly #host: Host
  /** What the user's terminals have told. */
  readonly #facts: Facts
  #restartTimer: Timer | undefined
  readonly #starting = new Set<number>()
  /** Knows what the agent is doing now; the manifest says it up to half a second later. */
  agent: AgentWatch | undefined
  /** Numbers of terminals that are being opened. */
  readonly #opening = new Set<number>()
  /** The terminal that is being opened for init's own session. */
  #job: number | undefined
  /** Terminals whose program is being restarted because somebody asked for it. */
  readonly #wanted = new Set<number>()

  constructor(host: Host, facts: Facts) {
    this.#host = host
    this.#facts = facts
  }

  #ringPath(id: number): string {
    return ringFile(this.#host.runtimeDir, id)
  }

  #createRing(id: number, pipe: number): Ring {
    try {
      return Ring.create(this.#ringPath(id), pipe)
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC') throw error
      const where = this.#host.runtimeDir
      throw new CoopError('E_DISK_FULL', `no space is left for the scrollback of a terminal in ${where}`, {
        hint: 'free some space, or set COOP_RUNTIME_DIR to a folder on a larger disk',
        cause: error,
      })
    }
  }

  #keeper(id: number, ring: Ring, size: WindowSize): ScreenKeeper {
    return new ScreenKeeper(ring, join(this.#host.runtimeDir, `pty-${id}.screen`), size)
  }

  #tell(pty: number, change: 'opened' | 'closed'): void {
    this.#host.emit({ event: 'terminal', box: this.#host.manifest.name, pty, change })
  }

  record(id: number): PtyRecord | undefined {
    return this.#host.manifest.ptys.find((record) => record.id === id)
  }

  #update(id: number, change: Partial<PtyRecord>): void {
    const { ptys } = this.#host.manifest
    this.#host.update({ ptys: ptys.map((record) => (record.id === id ? { ...record, ...change } : record)) })
  }

  environment(term: string | undefined): Record<string, string> {
    return {
      TERM: term && /^[\w.+-]{1,64}$/.test(term) ? term : 'xterm-256color',
      ...this.#host.manifest.plan.environment,
    }
  }

  /** Starts a program on a new PTY. `owned`: the caller hangs it up; otherwise it closes when its program ends. */
  async open(
    id: number | undefined,
    command: readonly string[],
    options: {
      readonly cwd: string
      readonly env: Readonly<Record<string, string>>
      readonly size: WindowSize
      readonly caller?: Caller | undefined
      /** Whether the program can be suspended, when that is possible. */
      readonly suspends?: boolean | undefined
      /** Coop's own text, before any output. */
      readonly greeting?: string | undefined
    },
    owned = false,
  ): Promise<Opened> {
    const pipe = heldPipe()
    let ring: Ring | undefined
    const number = id ?? this.#freeNumber()
    this.#opening.add(number)
    const isJob = options.suspends === true && this.#takeJob(number)
    rmSync(this.#ringPath(number), { force: true })
    try {
      ring = this.#createRing(number, pipe) // before the program: on a full disk nothing starts
      const size = boundedSize(options.size)
      const keeper = this.#keeper(number, ring, size)
      if (options.greeting) ring.append(Buffer.from(options.greeting))
      const stdio = { kind: 'terminal', size, pipe, isJob } as const
      const { pid, exited, terminal } = await this.#host.processes.start({
        command,
        cwd: options.cwd,
        environment: options.env,
        stdio,
        caller: options.caller,
      })
      if (!terminal) throw new CoopError('E_FAILED', 'the box opened no terminal')
      const pty = new Pty(number, terminal.fd, ring, keeper, this.#host.watcher, this.#facts)
      if (id === undefined || this.expectsClient) pty.questions.expect(ATTACH_MS)
      if (id === 0) this.expectsClient = false
      this.#add(pty)
      const record: PtyRecord = {
        id: number,
        command,
        master: terminal.master,
        slave: terminal.slave,
        pipe: terminal.pipe,
        pid,
        state: 'running',
        exitCode: undefined,
        ...(isJob ? { isJob } : {}),
        ends: [],
      }
      this.#host.update({ ptys: [...this.#host.manifest.ptys, record] })
      this.#tell(number, 'opened')
      if (!owned) this.#watch(number, pid, exited)
      return { pty, pid, exited }
    } catch (error) {
      if (ring) ring.close()
      else closeDescriptor(pipe)
      rmSync(this.#ringPath(number), { force: true })
      throw terminalError(error, this.#host.manifest.name)
    } finally {
      this.#opening.delete(number)
      if (this.#job === number) this.#job = undefined
    }
  }

  /** Init's session has one terminal at a time. */
  #takeJob(number: number): boolean {
    if (!this.#host.processes.tellsStops || this.#job !== undefined) return false
    if (this.#host.manifest.ptys.some((record) => record.isJob)) return false
    this.#job = number
    return true
  }

  /** Returns an error when the box lacks the agent's program; otherwise undefined. */
  async missingAgent(
    { plan, agent }: Pick<Manifest, 'plan' | 'agent'> = this.#host.manifest,
  ): Promise<CoopError | undefined> {
    const { name, environment, workspace } = plan
    const [program = ''] = agent.command
    if (await this.#host.processes.has(program, workspace.target, environment.PATH ?? '')) return undefined
    return new CoopError('E_AGENT', `there is no program ${program} in the box ${name}`, {
      hint: 'name another agent (--agent, or in coop.toml), or install this one: setup in coop.toml, or coop shell',
    })
  }

  /** Raises E_AGENT when the box lacks the agent's program. */
  async needAgent(): Promise<void> {
    const missing = await this.missingAgent()
    if (missing) throw missing
  }

  /** Returns the lowest number that no terminal has, including those being opened. */
  #freeNumber(): number {
    const taken = new Set([
      ...this.#host.manifest.ptys.map(({ id }) => id),
      ...this.ptys.keys(),
      ...this.#opening,
    ])
    let number = 1
    while (taken.has(number)) number++
    return number
  }

  /** Starts the agent on PTY 0. */
  async startAgent(expectsClient = this.expectsClient, greeting?: string): Promise<void> {
    this.expectsClient = expectsClient
    const { plan, agent, caller } = this.#host.manifest
    const where = { cwd: plan.workspace.target, env: this.environment(undefined), size: FIRST_SIZE }
    await this.open(0, agent.command, { ...where, caller, greeting })
  }

  /** Throws NewerRing for a ring that only a newer release can read: an empty one must not replace it. */
  checkRings(): void {
    for (const { id } of this.#host.manifest.ptys) refuseNewerRing(this.#ringPath(id))
  }

  /** Takes the terminals back from an init whose daemon died, and continues where that stopped. */
  async adopt(channel: Channel): Promise<void> {
    const { ptys, commands } = this.#host.manifest
    const batch = new Batch()
    for (const { master, pipe } of ptys)
      for (const fd of [master, pipe])
        batch.call('fcntl', [fd, k.F_DUPFD_CLOEXEC, 3], { send: true, scoped: true })
    const { fds } = await channel.run(batch)
    const owned = new Set(commands.map((command) => command.pty))
    for (const [index, { id, pid, state }] of ptys.entries()) {
      const [master, pipe] = fds.slice(2 * index)
      if (master === undefined || pipe === undefined)
        throw new CoopError('E_FAILED', `terminal ${id} is gone`)
      const ring = Ring.open(this.#ringPath(id), pipe)
      const keeper = this.#keeper(id, ring, boundedSize(windowSize(master) ?? FIRST_SIZE))
      this.#add(new Pty(id, master, ring, keeper, this.#host.watcher, this.#facts))
      if (pid !== undefined && !owned.has(id)) this.#watch(id, pid, this.#host.processes.exitOf(pid))
      if (state === 'restarting') this.#restartSoon(id)
    }
  }

  #add(pty: Pty): void {
    this.ptys.set(pty.id, pty)
    if (pty.id !== 0) return
    this.agent = new AgentWatch(pty, this.#host.manifest.doing, {
      changed: (activity) => this.#host.does(activity),
      words: ({ from }) => {
        // An emulator for each silent agent would cost memory; a notification is worth it.
        if (from === 'silence' && !this.#host.manifest.notify) return undefined
        return screenWords(pty)
      },
    })
  }

  #watch(id: number, pid: number, exited: Promise<number>): void {
    this.#host.processes.continueStopped(pid)
    const ended = async (code: number, error: Error | undefined): Promise<void> => {
      await this.#ended(id, code, error)
      await this.#host.processes.forget(pid)
    }
    exited.then(
      (code) => ended(code, undefined),
      (error: Error) => ended(127, error),
    )
  }

  async #ended(id: number, code: number, error: Error | undefined): Promise<void> {
    const pty = this.ptys.get(id)
    if (this.#host.ending || !pty) return
    await pty.drained()
    if (error) pty.say(`\r\n[coop: ${startFailure(error)?.sentence ?? error.message}]\r\n`)
    const wanted = this.#wanted.delete(id)
    if (id !== 0 && !wanted) return this.close(id, { ended: 'command', code })
    const { manifest } = this.#host
    const ends = wanted ? [] : recentEnds(this.record(id)?.ends ?? [], Date.now())
    pty.questions.ended()
    if (id === 0) {
      this.agent?.reset()
      this.#host.log('agent-end', { box: manifest.name, code })
    }
    const isClean = code === 0 || (isShell(manifest) && !error)
    if (!wanted && (isClean || !manifest.autoRestart || isCrashLoop(ends))) {
      const crashed = !isClean && manifest.autoRestart
      this.#update(id, { state: crashed ? 'crashed' : 'ended', exitCode: code, ends, pid: undefined })
      pty.say((crashed ? crashedText : endedText)(manifest, code))
      if (isClean) pty.leave({ ended: 'command', code })
      return
    }
    if (!wanted) pty.say(againText(code))
    this.#update(id, { state: 'restarting', exitCode: code, ends, pid: undefined })
    if (!wanted) return this.#restartSoon(id)
    this.#sayRestarted(id)
    await this.#start(id)
  }

  #sayRestarted(id: number): void {
    this.ptys.get(id)?.say(restartedText(id === 0 ? 'agent' : 'shell'))
  }

  #restartSoon(id: number): void {
    this.#restartTimer = setTimeout(() => void this.#start(id), this.#host.manifest.restartDelayMs)
  }

  /** Starts the program of a terminal once more, on the same terminal. */
  async #start(id: number): Promise<void> {
    const record = this.record(id)
    const { manifest, processes } = this.#host
    const pty = this.ptys.get(id)
    if (this.#host.ending || !record || !pty || this.#starting.has(id)) return
    if (id === 0) clearTimeout(this.#restartTimer)
    this.#starting.add(id)
    try {
      await pty.questions.settled
      if (this.#host.ending || pty.closed) return
      // What was typed for the program before, answers to its questions included, is not for this one.
      pty.dropInput()
      const flush = new Batch()
      flush.call('ioctl', [record.slave, k.TCFLSH, k.TCIFLUSH], { mayFail: true })
      await processes.run(flush)
      const { pid, exited } = await processes.start({
        command: id === 0 ? manifest.agent.command : record.command,
        cwd: manifest.plan.workspace.target,
        environment: this.environment(undefined),
        stdio: { kind: 'same-terminal', slave: record.slave },
        caller: manifest.caller,
      })
      this.#update(id, { pid, state: 'running', command: id === 0 ? manifest.agent.command : record.command })
      this.#watch(id, pid, exited)
    } catch (error) {
      this.#host.log('restart-failed', { box: manifest.name, error: String(error) })
    } finally {
      this.#starting.delete(id)
    }
  }

  /** Ends the program of a terminal, if it runs, and starts it again. Attached clients stay. */
  async restart(id: number): Promise<void> {
    const { manifest, processes } = this.#host
    const record = this.record(id)
    if (!record) throw new CoopError('E_BOX_STATE', `the box ${manifest.name} has no terminal ${id}`)
    const { pid } = record
    if (record.state !== 'running' || pid === undefined) {
      this.#update(id, { state: 'restarting', ends: [] })
      this.#sayRestarted(id)
      return this.#start(id)
    }
    this.#wanted.add(id)
    await processes.signal(pid, id === 0 ? k.SIGTERM : k.SIGHUP) // interactive shells ignore SIGTERM
    const insist = (): void => {
      if (!this.#host.ending && this.record(id)?.pid === pid)
        void processes.signal(pid, k.SIGKILL).catch(() => {})
    }
    setTimeout(insist, GRACE_MS).unref()
  }

  /** Hangs up a terminal: its processes get SIGHUP, its ring is deleted. */
  async close(id: number, end: PtyEnd): Promise<void> {
    const record = this.record(id)
    const pty = this.ptys.get(id)
    if (!record || !pty) return
    this.ptys.delete(id)
    this.#host.update({ ptys: this.#host.manifest.ptys.filter((other) => other.id !== id) })
    this.#tell(id, 'closed')
    const batch = new Batch()
    if (record.pid !== undefined) batch.call('kill', [-record.pid, k.SIGHUP], { mayFail: true })
    if (record.isJob) batch.call('ioctl', [record.slave, k.TIOCNOTTY, 0], { mayFail: true })
    for (const fd of [record.master, record.slave, record.pipe]) batch.call('close', [fd], { mayFail: true })
    await this.#host.processes.run(batch).catch(() => {})
    pty.close(end)
    rmSync(this.#ringPath(id), { force: true })
  }

  /** Moves the rings into a recreated runtime folder. */
  reopen(): void {
    for (const [id, { ring }] of this.ptys) ring.moveTo(this.#ringPath(id))
  }

  /** Closes all terminals, because the box has ended. */
  closeAll(end: PtyEnd): void {
    clearTimeout(this.#restartTimer)
    this.agent?.reset()
    for (const [id, pty] of this.ptys) {
      pty.close(end)
      this.#tell(id, 'closed')
    }
    this.ptys.clear()
  }
}

async function screenWords(pty: Pty): Promise<string> {
  await loadScreens()
  const screen = await pty.text(false)
  return screen ? lastWords(screen.lines, MAX_WORDS) : ''
}
