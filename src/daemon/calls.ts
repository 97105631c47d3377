/** What each call of a client does. */

import { BatchError } from '../../ffi/batch.ts'
import { peerCredentials } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Box } from '../box/box.ts'
import { residentBytes } from '../box/memory.ts'
import type { Pty } from '../box/pty.ts'
import { CoopError, errorToJson } from '../errors.ts'
import type { BoxInfo, BoxOptions, Call, CommandOptions, PtyInfo, Size } from '../protocol/messages.ts'
import { printablePlan } from '../sandbox/plan.ts'
import type { Connection } from './connection.ts'
import type { DescriptorDesk } from './descriptors.ts'
import { Feed } from './feed.ts'
import type { Log } from './log.ts'
import type { Registry } from './registry.ts'

const SIGHUP = 1
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const COOP_FAILED = 125

export interface Services {
  readonly registry: Registry
  readonly desk: DescriptorDesk
  readonly log: Log
  readonly version: string
  status(): Record<string, unknown>
  shutdown(): void
}

/** Shell conventions for a program that did not start (POSIX, "Exit Status for Commands"). */
function startFailure(error: unknown, command: string): { code: number; error: CoopError } {
  if (error instanceof BatchError && error.syscall === 'execve') {
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR'
    const sentence = missing ? `${command}: there is no such command in the box` : `${command}: ${error.code}`
    return { code: missing ? NOT_FOUND : NOT_EXECUTABLE, error: new CoopError('E_FAILED', sentence) }
  }
  const failure = errorToJson(error)
  return { code: COOP_FAILED, error: new CoopError(failure.code, failure.message, { hint: failure.hint }) }
}

export function boxInfo(box: Box): BoxInfo {
  const { manifest } = box
  const ptys = manifest.ptys.map((record): PtyInfo => {
    const pty = box.ptys.get(record.id)
    return {
      id: record.id,
      command: record.command,
      state: record.state,
      ...(record.exitCode === undefined ? {} : { exitCode: record.exitCode }),
      clients: pty?.clients ?? 0,
      size: pty?.size ?? { columns: 0, rows: 0 },
    }
  })
  const agent = manifest.ptys.find((record) => record.id === 0)
  return {
    name: manifest.name,
    workspace: manifest.plan.workspace.source.path,
    image: manifest.plan.image,
    agent: manifest.agent.title,
    state: box.ending ? 'ending' : (agent?.state ?? manifest.state),
    created: manifest.created,
    ptys,
    clients: ptys.reduce((sum, pty) => sum + pty.clients, 0),
    detachKey: manifest.detachKey,
    ...(manifest.init ? { memory: residentBytes(manifest.init.pid) } : {}),
  }
}

export class Calls {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async call(connection: Connection, call: Call): Promise<unknown> {
    const { registry } = this.#services
    switch (call.do) {
      case 'box.create':
        return this.#create(call.box)
      case 'box.find':
        return boxInfo(registry.find(call.box, call.cwd))
      case 'box.list':
        return registry.boxes.filter((box) => box.manifest.kind === 'agent').map(boxInfo)
      case 'box.status':
        return this.#status(registry.get(call.name))
      case 'box.kill':
        return registry.get(call.name).end({ force: call.force, reason: 'coop kill' })
      case 'box.restart':
        return registry.get(call.name).restart()
      case 'plan': {
        const { plan, hidden } = registry.plan(call.box)
        return printablePlan(plan, hidden)
      }
      case 'run':
        return this.#run(connection, call.box, call.command)
      case 'exec':
        return this.#exec(connection, call)
      case 'shell.open':
        return this.#shell(connection, call)
      case 'attach':
        return this.#attach(connection, call)
      case 'system.status':
        return this.#services.status()
      case 'system.shutdown':
        return this.#services.shutdown()
    }
  }

  async #create(options: BoxOptions): Promise<unknown> {
    const { box, warnings } = await this.#services.registry.create(options, 'agent')
    return { ...boxInfo(box), warnings }
  }

  #status(box: Box): unknown {
    const { plan, init, hidden, autoRestart } = box.manifest
    const mounts = plan.steps.flatMap((step) =>
      step.do === 'bind' ? [{ source: step.source.path, target: step.at, readonly: step.readonly }] : [],
    )
    const { environment } = printablePlan(plan, hidden) as { environment: unknown }
    return {
      ...boxInfo(box),
      hostname: plan.hostname,
      user: plan.user,
      ids: plan.ids,
      network: plan.network,
      limits: plan.limits,
      confinement: plan.confinement,
      mounts,
      environment,
      autoRestart,
      init,
      notes: plan.notes,
    }
  }

  async #run(connection: Connection, options: BoxOptions, command: CommandOptions): Promise<unknown> {
    const fds = this.#descriptors(command)
    try {
      const { box, warnings } = await this.#services.registry.create(options, 'run', command.command)
      for (const warning of warnings) connection.notice(warning)
      return await this.#command(connection, box, command, fds, () => void box.end({ force: true }))
    } finally {
      fds.forEach(closeDescriptor)
    }
  }

  async #exec(connection: Connection, call: Call & { do: 'exec' }): Promise<unknown> {
    const fds = this.#descriptors(call.command)
    try {
      const box = this.#services.registry.get(call.name)
      return await this.#command(connection, box, call.command, fds, () => {})
    } finally {
      fds.forEach(closeDescriptor)
    }
  }

  /** The pipes that were sent ahead; taken before anything can fail, so that they do not pile up. */
  #descriptors(options: CommandOptions): number[] {
    if (options.descriptors === undefined) return []
    const fds = this.#services.desk.take(options.descriptors)
    if (!fds)
      throw new CoopError('E_FAILED', 'the pipes of the command did not arrive', { hint: 'try again' })
    return fds
  }

  /** A command on the connection's behalf: its end is told with `exit`, the client's end hangs it up. */
  async #command(
    connection: Connection,
    box: Box,
    options: CommandOptions,
    fds: readonly number[],
    over: () => void,
  ): Promise<unknown> {
    const name = options.command[0] ?? ''
    const { plan } = box.manifest
    const ended = (code: number, error?: CoopError): void => {
      connection.activity?.feed?.catchUp()
      connection.tell({
        type: 'exit',
        code,
        ended: 'command',
        ...(error ? { error: errorToJson(error) } : {}),
      })
      connection.activity?.feed?.close()
      connection.activity = undefined
      over()
    }
    try {
      if (!name) throw new CoopError('E_USAGE', 'there is no command to run')
      const cwd = options.cwd ?? plan.workspace.target
      let pid: number
      let exited: Promise<number>
      let feed: Feed | undefined
      if (options.terminal) {
        const environment = { ...box.terminalEnvironment(options.terminal.term), ...options.env }
        const opened = await box.open(options.command, cwd, environment, options.terminal)
        pid = opened.pid
        feed = new Feed(opened.pty, connection, false, options.terminal)
        exited = opened.exited.finally(() => opened.pty.drained())
      } else {
        const environment = { ...plan.environment, ...options.env }
        const stdio = { kind: 'descriptors', fds: [0, 1, 2].map((at) => fds[at]) } as const
        const started = await box.processes.start({ command: options.command, cwd, environment, stdio })
        pid = started.pid
        exited = started.exited
      }
      connection.activity = {
        ...(feed ? { feed } : {}),
        signal: (signal) => void box.processes.signal(pid, signal).catch(() => {}),
        abandon: () => {
          void box.processes.signal(pid, SIGHUP).catch(() => {})
          over()
        },
      }
      exited.then(
        (code) => ended(code),
        (error) => {
          const failure = startFailure(error, name)
          ended(failure.code, failure.error)
        },
      )
      return { box: box.name, pid }
    } catch (error) {
      over()
      throw error
    }
  }

  async #shell(connection: Connection, call: Call & { do: 'shell.open' }): Promise<unknown> {
    const box = this.#services.registry.get(call.name)
    const command = call.command.length ? call.command : [box.manifest.shell]
    const free = box.manifest.ptys.find(
      (record) =>
        record.id > 0 &&
        record.command.join('\0') === command.join('\0') &&
        (box.ptys.get(record.id)?.clients ?? 1) === 0,
    )
    const known = free && !call.fresh ? box.ptys.get(free.id) : undefined
    if (known) return this.#show(connection, box, known, false, call.size)
    const { pty, exited } = await box.open(
      command,
      box.manifest.plan.workspace.target,
      box.terminalEnvironment(call.term),
      call.size,
    )
    exited.catch(() => {})
    // At once: a command may be over before a second call came.
    return this.#show(connection, box, pty, false, call.size)
  }

  #attach(connection: Connection, call: Call & { do: 'attach' }): unknown {
    const box = this.#services.registry.get(call.name)
    const pty = box.ptys.get(call.pty)
    if (!pty)
      throw new CoopError('E_NO_BOX', `the box ${call.name} has no terminal ${call.pty}`, {
        hint: `coop status ${call.name}`,
      })
    return this.#show(connection, box, pty, call.readonly, call.size)
  }

  /** Attach a client to a PTY until either is gone. */
  #show(connection: Connection, box: Box, pty: Pty, readonly: boolean, size: Size | undefined): unknown {
    const feed = new Feed(pty, connection, readonly, size)
    connection.activity = { feed, abandon: () => {} }
    pty.onClose(() => {
      if (connection.activity?.feed !== feed) return
      feed.catchUp()
      connection.tell({ type: 'exit', code: 0, ended: box.ending ? 'box' : 'command' })
      connection.activity = undefined
    })
    if (!readonly) pty.redraw()
    return { box: box.name, pty: pty.id }
  }
}

/** Whether the process at the other end of a connection is the user whom this daemon serves. */
export function isOwner(socket: number): boolean {
  return peerCredentials(socket).uid === process.getuid?.()
}
