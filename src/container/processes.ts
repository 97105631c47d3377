/** Processes of a box: starting them, their exit codes, signals. */
import * as k from '../../ffi/abi/constants.ts'
import { Batch, type BatchError } from '../../ffi/batch.ts'
import type { BatchReply, Channel } from '../../ffi/channel.ts'
import type { Caller } from '../sandbox/caller.ts'
import type { Plan } from '../sandbox/plan.ts'
import {
  candidates,
  exitCodeOf,
  MASTER_RESULT,
  PIPE_RESULT,
  processBatch,
  SLAVE_RESULT,
  type Stdio,
} from './exec-batch.ts'

export interface ProcessRequest {
  readonly command: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly stdio: Stdio
  readonly caller?: Caller | undefined
}

export interface TerminalNumbers {
  readonly fd: number
  readonly master: number
  readonly slave: number
  readonly pipe: number
}

export interface Started {
  readonly pid: number
  /** The exit code as in a shell. Rejects with a BatchError if the program could not be started. */
  readonly exited: Promise<number>
  /** The new terminal: a copy of its master in this process, and its numbers in init. */
  readonly terminal: TerminalNumbers | undefined
}

interface Exit {
  readonly status: number
  readonly failure: BatchError | undefined
}

interface Waiter {
  readonly resolve: (code: number) => void
  readonly reject: (error: Error) => void
}

const CONTINUE_MS = 100 // a person who has pressed Ctrl+Z does not notice

export class Processes {
  readonly #plan: () => Plan
  readonly #lastCapability: number
  /** The connection to init; throws if the box does not run. */
  readonly #live: () => Channel
  readonly #waiters = new Map<number, Waiter>()
  readonly #stops = new Map<number, (signal: number) => void>()
  /** Stops reported before anybody asked for them: a program may stop itself at once. By pid, the signal. */
  readonly #earlyStops = new Map<number, number>()
  /** Exits reported before anybody asked for them. */
  readonly #early = new Map<number, Exit>()

  constructor(plan: () => Plan, lastCapability: number, live: () => Channel) {
    this.#plan = plan
    this.#lastCapability = lastCapability
    this.#live = live
  }

  /** Run a batch in the box's init. */
  async run(batch: Batch): Promise<BatchReply> {
    return this.#live().run(batch)
  }

  async start(request: ProcessRequest): Promise<Started> {
    const { confinement, limits } = this.#plan()
    const batch = processBatch({ ...request, confinement, limits, lastCapability: this.#lastCapability })
    const { results, fds } = await this.run(batch)
    const pid = results.at(-1) ?? -1
    const [fd] = fds
    const number = (at: number): number => results[at] ?? -1
    const terminal =
      fd === undefined
        ? undefined
        : { fd, master: number(MASTER_RESULT), slave: number(SLAVE_RESULT), pipe: number(PIPE_RESULT) }
    return { pid, exited: this.exitOf(pid), terminal }
  }

  /** Whether the box has the program now, in its image or its own files. It may still turn out not to be executable. */
  async has(command: string, cwd: string, path: string): Promise<boolean> {
    const batch = new Batch()
    for (const place of candidates(command, path)) {
      const file = place.startsWith('/') ? place : `${cwd}/${place}`
      batch.call('faccessat', [k.AT_FDCWD, file, k.X_OK], { mayFail: true })
    }
    return (await this.run(batch)).results.some((result) => result >= 0)
  }

  /** The exit code of a process started by this daemon or an earlier one. */
  exitOf(pid: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    promise.catch(() => {})
    this.#waiters.set(pid, { resolve, reject })
    const early = this.#early.get(pid)
    if (early) this.settle(pid, early)
    return promise
  }

  /** Whether init tells when a process stops (`onStop`). */
  get tellsStops(): boolean {
    return this.#live().tellsStops
  }

  /** Calls `tell` whenever that process stops, until it has ended. */
  onStop(pid: number, tell: (signal: number) => void): void {
    this.#stops.set(pid, tell)
    const early = this.#earlyStops.get(pid)
    this.#earlyStops.delete(pid)
    if (early !== undefined) tell(early)
  }

  /**
   * Continues a process that suspends itself, such as an agent (Ctrl+Z), which has no shell that could. Not at once,
   * because one may do that all the time.
   */
  continueStopped(pid: number): void {
    let waits = false
    this.onStop(pid, () => {
      if (waits) return
      waits = true
      setTimeout(() => {
        waits = false
        void this.signal(pid, k.SIGCONT).catch(() => {})
      }, CONTINUE_MS)
    })
  }

  /** Init reported a stop. */
  stopped(pid: number, signal: number): void {
    const tell = this.#stops.get(pid)
    if (tell) tell(signal)
    else this.#earlyStops.set(pid, signal)
  }

  /** Init reported an exit. */
  settle(pid: number, exit: Exit): void {
    this.#stops.delete(pid)
    this.#earlyStops.delete(pid)
    const waiter = this.#waiters.get(pid)
    if (!waiter) {
      this.#early.set(pid, exit)
      return
    }
    this.#early.delete(pid)
    this.#waiters.delete(pid)
    if (exit.failure) waiter.reject(exit.failure)
    else waiter.resolve(exitCodeOf(exit.status))
  }

  /** Let init forget an exit after its consequences are stored; until then init reports it to each new daemon, too. */
  async forget(pid: number): Promise<void> {
    const batch = new Batch()
    batch.forget(pid)
    await this.run(batch).catch(() => {}) // the box is ending
  }

  /** The box and all its processes are gone. */
  endAll(code: number): void {
    for (const waiter of this.#waiters.values()) waiter.resolve(code)
    this.#waiters.clear()
    this.#early.clear()
  }

  /** Signal a process and its process group; a process that has ended is no error. */
  async signal(pid: number, signal: number): Promise<void> {
    const to = async (target: number): Promise<number> => {
      const batch = new Batch()
      batch.call('kill', [target, signal], { mayFail: true })
      return (await this.run(batch)).results[0] ?? -1
    }
    // A child does not lead a group until a moment after its fork.
    if ((await to(-pid)) < 0) await to(pid)
  }
}
