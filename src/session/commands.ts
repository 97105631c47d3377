/** Commands of `coop run` and `coop exec`: each belongs to a client, and waits for it when a daemon was replaced. */
import { SIGHUP } from '../../ffi/abi/constants.ts'
import type { Box } from '../box/box.ts'
import { startTimeOf } from '../container/clone.ts'
import { startFailure } from '../container/start-failure.ts'
import { CoopError, errorToJson } from '../core/errors.ts'
import type { WindowSize } from '../core/window-size.ts'
import type { CommandOptions } from '../protocol/calls/commands.ts'
import type { Reply, Request } from '../protocol/calls.ts'
import type { Plan } from '../sandbox/plan.ts'
import type { CommandRecord } from '../store/manifest.ts'
import type { Pty } from '../terminal/pty.ts'
import type { ClientChannel } from './client-channel.ts'
import { Feed } from './feed.ts'

const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const COOP_FAILED = 125
const RETURN_MS = 1_000 // how often a daemon looks whether a client that is still to come back lives

interface Command {
  readonly box: Box
  readonly record: CommandRecord
  readonly exited: Promise<number>
  orphaned: Timer | undefined
}

/** Shell conventions for a program that did not start (POSIX, "Exit Status for Commands"). */
function endOf(error: unknown): { code: number; error: CoopError } {
  const failed = startFailure(error)
  if (failed) {
    const { sentence, what, missing } = failed
    if (what === 'folder')
      return {
        code: COOP_FAILED,
        error: new CoopError('E_FAILED', sentence, { hint: 'coop exec --cwd DIR' }),
      }
    return { code: missing ? NOT_FOUND : NOT_EXECUTABLE, error: new CoopError('E_FAILED', sentence) }
  }
  const failure = errorToJson(error)
  return { code: COOP_FAILED, error: new CoopError(failure.code, failure.message, { hint: failure.hint }) }
}

/** Why a command ended that did not end by itself. */
function endOfBox({ name, ending, stopping }: Box): CoopError | undefined {
  if (!ending) return undefined
  if (!stopping) return new CoopError('E_NO_BOX', `the box ${name} was ended`)
  return new CoopError('E_BOX_STATE', `the box ${name} was stopped`, { hint: `coop start ${name}` })
}

/** Where a folder of the host is in the box; the workspace for one that is not in it. */
function inWorkspace({ workspace: { source, target } }: Plan, folder: string): string {
  return folder.startsWith(`${source.path}/`) ? `${target}${folder.slice(source.path.length)}` : target
}

export class Commands {
  readonly #commands = new Map<string, Command>()

  /** Take over what an earlier daemon started in a box. Who does not come back for it has gone, too. */
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
    // A box for one command that was never started, or whose client is through with it.
    if (box.manifest.kind === 'run' && !box.manifest.commands.length) void box.end({ force: true })
  }

  /** A client that lives comes back by itself, sooner or later: it may be stopped, or have no processor. */
  #await(command: Command): void {
    const { pid, startTime } = command.record.client
    if (startTime === undefined || startTimeOf(pid) !== startTime) this.#abandon(command)
    else command.orphaned = setTimeout(() => this.#await(command), RETURN_MS)
  }

  /** Start a command on the connection's behalf: its end is told with `exit`, the client's end hangs it up. */
  async start(
    channel: ClientChannel,
    box: Box,
    options: CommandOptions,
    fds: readonly number[],
  ): Promise<Reply<'exec'>> {
    const name = options.command[0] ?? ''
    const { plan } = box.manifest
    const { token } = options
    const cwd = options.cwd ?? inWorkspace(plan, options.callerCwd ?? '')
    const peer = channel.peer ?? 0 // a client that is no process of this machine cannot be looked after
    const client = { pid: peer, startTime: startTimeOf(peer) }
    try {
      if (!name) throw new CoopError('E_USAGE', 'there is no command to run', { hint: 'coop run CMD…' })
      let command: Command
      if (options.terminal) {
        const env = { ...box.terminals.environment(options.terminal.term), ...options.env }
        const where = { cwd, env, size: options.terminal }
        const { pty, pid, exited } = await box.terminals.open(undefined, options.command, where, true)
        command = { box, record: { token, pid, pty: pty.id, client }, exited, orphaned: undefined }
      } else {
        const environment = { ...plan.environment, ...options.env }
        const stdio = { kind: 'descriptors', fds: [0, 1, 2].map((at) => fds[at]) } as const
        const { pid, exited } = await box.processes.start({
          command: options.command,
          cwd,
          environment,
          stdio,
        })
        command = { box, record: { token, pid, pty: undefined, client }, exited, orphaned: undefined }
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

  /** Go on with a command that a client started with an earlier daemon. Raises E_NO_BOX. */
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
    channel.activity = {
      ...(feed ? { feed } : {}),
      signal: (signal) => void box.processes.signal(record.pid, signal).catch(() => {}),
      // The client has its exit code, or is gone: either way nobody asks for this command any more.
      abandon: () => {
        forget?.()
        if (ended) this.#release(command)
        else this.#abandon(command)
      },
    }
    const tell = async (code: number, error?: CoopError): Promise<void> => {
      await pty?.drained()
      await feed?.finish()
      ended = true
      channel.exit({ code, ended: 'command', ...(error ? { error: errorToJson(error) } : {}) })
    }
    command.exited.then(
      (code) => tell(code, endOfBox(box)),
      (error) => {
        const failure = endOf(error)
        return tell(failure.code, failure.error)
      },
    )
    return pty
  }

  #abandon(command: Command): void {
    const { box, record } = command
    void box.processes
      .signal(record.pid, SIGHUP)
      .catch(() => {})
      .then(() => this.#release(command))
  }

  #release(command: Command): void {
    const { box, record } = command
    this.#commands.delete(record.token)
    // A box of `coop run` ends with the command that it was made for, its first one; `coop exec` may run others in it.
    const isItsOwn = box.manifest.commands[0]?.token === record.token
    if (box.manifest.kind === 'run' && isItsOwn) void box.end({ force: true })
    else void box.release(record)
  }
}
