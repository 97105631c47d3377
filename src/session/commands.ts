/**
 * Commands of `coop run` and `coop exec`. Each belongs to a client; after a daemon was replaced, it waits for that
 * client.
 */
import { SIGCONT, SIGHUP } from '../../ffi/abi/constants.ts'
import type { Box } from '../box/box.ts'
import { GRACE_MS } from '../container/end.ts'
import { startFailure } from '../container/start-failure.ts'
import { CoopError, errorToJson } from '../core/errors.ts'
import type { WindowSize } from '../core/window-size.ts'
import { startTimeOf } from '../host/boot.ts'
import type { CommandOptions } from '../protocol/calls/commands.ts'
import type { Reply, Request } from '../protocol/calls.ts'
import type { Plan } from '../sandbox/plan.ts'
import type { CommandRecord } from '../store/manifest.ts'
import type { Pty } from '../terminal/pty.ts'
import type { ClientChannel } from './client-channel.ts'
import { Feed } from './feed.ts'
import { hintForMissing } from './missing-command.ts'

const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const COOP_FAILED = 125
const RETURN_MS = 1_000 // between two checks that a client which is expected back is alive

interface Command {
  readonly box: Box
  readonly record: CommandRecord
  readonly exited: Promise<number>
  /** The hint if there is no such program in the box. */
  readonly hint?: string | undefined
  orphaned: Timer | undefined
  /** When it was told that its terminal or its client is gone. */
  hungUpAt?: number
  /** Ends the client's earlier view, which the next one replaces. */
  replace?: () => void
}

/** Returns the exit code that shells use for a program that did not start (POSIX, "Exit Status for Commands"). */
function endOf(error: unknown, hint?: string): { code: number; error: CoopError } {
  const failed = startFailure(error)
  if (failed) {
    const { sentence, what, missing } = failed
    if (what === 'folder')
      return {
        code: COOP_FAILED,
        error: new CoopError('E_FAILED', sentence, { hint: 'name a folder in the box: --cwd DIR' }),
      }
    const code = missing ? NOT_FOUND : NOT_EXECUTABLE
    return { code, error: new CoopError('E_FAILED', sentence, missing ? { hint } : {}) }
  }
  const failure = errorToJson(error)
  return { code: COOP_FAILED, error: new CoopError(failure.code, failure.message, { hint: failure.hint }) }
}

/** Returns the error for a command that ended because its box did. */
function endOfBox({ name, ending, stopping }: Box): CoopError | undefined {
  if (!ending) return undefined
  if (!stopping) return new CoopError('E_NO_BOX', `the box ${name} was ended`)
  return new CoopError('E_BOX_STATE', `the box ${name} was stopped`, { hint: `coop start ${name}` })
}

/** Returns the path in the box of a host folder; the workspace when the folder is not in it. */
function inWorkspace({ workspace: { source, target } }: Plan, folder: string): string {
  return folder.startsWith(`${source.path}/`) ? `${target}${folder.slice(source.path.length)}` : target
}

export class Commands {
  readonly #commands = new Map<string, Command>()

  /**
   * Takes over the commands that an earlier daemon started in a box, and abandons those whose client does not come
   * back.
   */
  adopt(box: Box): void {
    for (const record of box.manifest.commands) {
      const command: Command = {
        box,
        record,
        exited: box.processes.exitOf(record.pid),
        orphaned: undefined,
      }
      this.#commands.set(record.token, command)
      this.#await(command)
    }
    // This box was made for one command, which never started or is done.
    if (box.manifest.kind === 'run' && !box.manifest.commands.length) void box.end({ force: true })
  }

  /**
   * Waits as long as the client's process lives. It comes back sooner or later: it may be stopped, or short of CPU
   * time.
   */
  #await(command: Command): void {
    const { pid, startTime } = command.record.client
    if (startTime === undefined || startTimeOf(pid) !== startTime) this.#abandon(command)
    else command.orphaned = setTimeout(() => this.#await(command), RETURN_MS)
  }

  /**
   * Starts a command for a client. Its end is reported with `exit`; the end of the client hangs it up. `isBox`: the
   * command's name is also that of a box.
   */
  async start(
    channel: ClientChannel,
    box: Box,
    options: CommandOptions,
    fds: readonly number[],
    isBox = false,
  ): Promise<Reply<'exec'>> {
    const name = options.command[0] ?? ''
    const { plan } = box.manifest
    const { token } = options
    const hint = hintForMissing(name, plan.image, isBox)
    const cwd = options.cwd ?? inWorkspace(plan, options.callerCwd ?? '')
    const peer = channel.peer ?? 0 // 0: the client is no process of this machine, so its life cannot be checked
    const { caller } = channel
    const client = { pid: peer, startTime: startTimeOf(peer) }
    try {
      if (!name) throw new CoopError('E_USAGE', 'there is no command to run', { hint: 'coop run CMD…' })
      let command: Command
      if (options.terminal) {
        const env = { ...box.terminals.environment(options.terminal.term), ...options.env }
        const { suspends } = options.terminal
        const where = { cwd, env, size: options.terminal, caller, suspends }
        const { pty, pid, exited } = await box.terminals.open(undefined, options.command, where, true)
        command = { box, record: { token, pid, pty: pty.id, client }, exited, hint, orphaned: undefined }
      } else {
        const environment = { ...plan.environment, ...options.env }
        const stdio = { kind: 'descriptors', fds: [0, 1, 2].map((at) => fds[at]) } as const
        const { pid, exited } = await box.processes.start({
          command: options.command,
          cwd,
          environment,
          stdio,
          caller,
        })
        command = { box, record: { token, pid, pty: undefined, client }, exited, hint, orphaned: undefined }
      }
      box.keep(command.record)
      this.#commands.set(token, command)
      this.#serve(channel, command, options.terminal, 0)
      return { box: box.name }
    } catch (error) {
      if (box.manifest.kind === 'run' && !box.manifest.commands.length) void box.end({ force: true })
      throw error
    }
  }

  /** Connects a client again to a command that it started with an earlier daemon. Raises E_NO_BOX. */
  rejoin(channel: ClientChannel, { token, size, from, typed }: Request<'rejoin'>): Reply<'rejoin'> {
    const command = this.#commands.get(token)
    if (!command) throw new CoopError('E_NO_BOX', 'the command has ended with its box')
    const pty = this.#serve(channel, command, size, from)
    return { box: command.box.name, ...(pty ? { taken: channel.continueInput(pty, typed) } : {}) }
  }

  #serve(
    channel: ClientChannel,
    command: Command,
    size: WindowSize | undefined,
    from: number | undefined,
  ): Pty | undefined {
    const { box, record } = command
    clearTimeout(command.orphaned)
    const pty = record.pty === undefined ? undefined : box.terminals.ptys.get(record.pty)
    const feed = pty && new Feed(pty, channel, { readonly: false, size, from })
    const forget = pty?.onClose(() => void feed?.finish())
    let ended = false
    let isReplaced = false
    let isStopTold = false
    command.replace?.()
    command.replace = () => {
      isReplaced = true
      forget?.()
    }
    channel.activity = {
      ...(feed ? { feed } : {}),
      signal: (signal) => {
        if (signal === SIGHUP) command.hungUpAt ??= performance.now()
        if (signal === SIGCONT) isStopTold = false
        void box.processes.signal(record.pid, signal).catch(() => {})
      },
      // The client has the exit code, or is gone: nobody will ask for this command again.
      abandon: () => {
        if (isReplaced) return // the client has asked again
        forget?.()
        if (ended) this.#release(command)
        else this.#abandon(command)
      },
    }
    box.processes.onStop(record.pid, async () => {
      if (!pty || isStopTold) return // without a terminal nobody presses Ctrl+Z
      // Until the client continues it: a box can stop its program thousands of times, and a suspended client reads nothing.
      isStopTold = true
      await pty.drained()
      channel.stopped()
    })
    const tell = async (code: number, error?: CoopError): Promise<void> => {
      if (isReplaced) return
      await pty?.drained()
      await feed?.finish()
      ended = true
      channel.exit({ code, ended: 'command', ...(error ? { error: errorToJson(error) } : {}) })
    }
    command.exited.then(
      (code) => tell(code, endOfBox(box)),
      (error) => {
        const failure = endOf(error, command.hint)
        return tell(failure.code, failure.error)
      },
    )
    return pty
  }

  /** Hangs the command of a client up that is gone. One of `coop run` has time to finish before its box is ended. */
  #abandon(command: Command): void {
    const { box, record } = command
    const waited = command.hungUpAt === undefined ? 0 : performance.now() - command.hungUpAt
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, this.#endsBox(command) ? Math.max(0, GRACE_MS - waited) : 0)
    void box.processes
      .signal(record.pid, SIGHUP)
      .then(() => box.processes.signal(record.pid, SIGCONT)) // a suspended program must hear of it, too
      .catch(() => {})
      .then(() => Promise.race([command.exited.catch(() => {}), late.promise]))
      .finally(() => clearTimeout(timer))
      .then(() => this.#release(command))
  }

  /** A box of `coop run` ends with its first command, which it was made for; `coop exec` may run others in it. */
  #endsBox({ box, record }: Command): boolean {
    return box.manifest.kind === 'run' && box.manifest.commands[0]?.token === record.token
  }

  #release(command: Command): void {
    const { box, record } = command
    this.#commands.delete(record.token)
    if (this.#endsBox(command)) void box.end({ force: true })
    else void box.release(record)
  }
}
