/** What each call of a client does. */

import { SIGHUP } from '../../ffi/abi/constants.ts'
import { peerCredentials, sendDescriptors } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Box } from '../box/box.ts'
import { UnknownBox } from '../box/unknown-box.ts'
import { CoopError } from '../core/errors.ts'
import { encodeOutput } from '../protocol/frames.ts'
import type { BoxOptions, Call, CommandOptions } from '../protocol/messages.ts'
import type { BoxInfo, ClientInfo, PtyInfo } from '../protocol/server-messages.ts'
import { printablePlan } from '../sandbox/plan.ts'
import type { Pty } from '../terminal/pty.ts'
import { loadScreens } from '../terminal/screen-keeper.ts'
import type { Commands } from './commands.ts'
import type { Connection } from './connection.ts'
import { copyCall } from './copying.ts'
import type { DescriptorDesk } from './descriptors.ts'
import { Feed } from './feed.ts'
import type { Log } from './log.ts'
import type { Registry } from './registry.ts'

export interface Services {
  readonly registry: Registry
  readonly commands: Commands
  readonly desk: DescriptorDesk
  readonly log: Log
  readonly version: string
  status(): Record<string, unknown>
  shutdown(): void
}

/** Feeds are the only clients there are, and a connection is where each leads. */
function clientsOf(pty: Pty): ClientInfo[] {
  return [...pty.clients].flatMap((client) => (client instanceof Feed ? (client.about ?? []) : []))
}

function boxInfo(box: Box, registry: Registry): BoxInfo {
  const { manifest } = box
  const ptys = manifest.ptys.map((record): PtyInfo => {
    const pty = box.terminals.ptys.get(record.id)
    return {
      id: record.id,
      command: record.command,
      state: record.state,
      ...(record.exitCode === undefined ? {} : { exitCode: record.exitCode }),
      clients: pty ? clientsOf(pty) : [],
      size: pty?.size ?? { columns: 0, rows: 0 },
    }
  })
  const agent = manifest.ptys.find((record) => record.id === 0)
  return {
    name: manifest.name,
    workspace: manifest.plan.workspace.source.path,
    image: manifest.plan.image,
    network: manifest.plan.network,
    ...(registry.isOlderBuild(box) ? { olderBuild: true as const } : {}),
    agent: manifest.agent.title,
    state: box.ending
      ? 'ending'
      : manifest.state === 'running'
        ? (agent?.state ?? 'running')
        : manifest.state,
    ...(manifest.reason ? { reason: manifest.reason } : {}),
    ...(manifest.waiting ? { waiting: manifest.waiting } : {}),
    created: manifest.created,
    ptys,
    clients: ptys.reduce((sum, pty) => sum + pty.clients.length, 0),
    detachKey: manifest.detachKey,
    ...(manifest.init ? { memory: box.memory.read(manifest.init.pid) } : {}),
  }
}

/** What listings show of a box that cannot be read. */
function unknownInfo(box: UnknownBox): BoxInfo {
  const { why } = box
  return {
    name: box.name,
    workspace: box.workspace ?? '',
    image: '',
    network: '',
    agent: '',
    state: 'unknown',
    reason: box.lives ? box.sentence : `${box.sentence}; it does not run`,
    ...(why.is === 'newer' && why.release !== undefined ? { release: why.release } : {}),
    created: box.created,
    ptys: [],
    clients: 0,
    detachKey: '',
  }
}

const anyInfo = (box: Box | UnknownBox, registry: Registry): BoxInfo =>
  box instanceof UnknownBox ? unknownInfo(box) : boxInfo(box, registry)

export class Calls {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async call(connection: Connection, call: Call): Promise<unknown> {
    const { registry, commands } = this.#services
    switch (call.do) {
      case 'box.create':
        return this.#create(call.box)
      case 'box.find':
        return call.unknown
          ? anyInfo(registry.findAny(call.box, call.cwd), registry)
          : boxInfo(registry.find(call.box, call.cwd), registry)
      case 'box.list':
        return [...registry.boxes, ...registry.unknown]
          .filter((box) => box instanceof UnknownBox || box.manifest.kind === 'agent')
          .map((box) => anyInfo(box, registry))
      case 'box.status':
        return this.#status(registry.get(call.name))
      case 'box.kill':
        return registry.kill(call.name, call.force)
      case 'box.stop':
        return registry.get(call.name).stop({ force: call.force, reason: 'coop stop' })
      case 'box.start':
        return registry.start(call.name, call.environment)
      case 'pty.restart':
        return this.#restart(call)
      case 'pty.kill':
        this.#pty(call.name, call.pty)
        return registry.get(call.name).terminals.close(call.pty, { ended: 'hangup', code: 128 + SIGHUP })
      case 'pty.direct':
        return this.#direct(connection, call.descriptors)
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
        return this.#show(connection, call.name, this.#pty(call.name, call.pty), call)
      case 'logs':
        return this.#logs(connection, call)
      case 'rejoin':
        await loadScreens()
        return commands.rejoin(connection, call)
      case 'system.status':
        return this.#services.status()
      case 'system.shutdown':
        return this.#services.shutdown()
      case 'snapshot.create':
      case 'snapshot.restore':
      case 'snapshot.list':
      case 'snapshot.remove':
        return registry.snapshots.call(call)
      case 'image.publish':
        return registry.publishing.publish(call)
      default:
        return copyCall(this.#services, connection, call)
    }
  }

  /** Start a program once more. What `coop.toml` says about the agent now is what starts. */
  async #restart({ name, pty, environment }: Call & { do: 'pty.restart' }): Promise<unknown> {
    const { registry } = this.#services
    this.#pty(name, pty)
    const warnings = pty === 0 ? await registry.configure(name, environment) : []
    await registry.get(name).terminals.restart(pty)
    return { warnings }
  }

  async #create(options: BoxOptions): Promise<unknown> {
    const { box, warnings } = await this.#services.registry.create(options, 'agent')
    return { ...boxInfo(box, this.#services.registry), warnings }
  }

  #status(box: Box): unknown {
    const { plan, init, hidden, autoRestart } = box.manifest
    const mounts = plan.steps.flatMap((step) =>
      step.do === 'bind' ? [{ source: step.source.path, target: step.at, readonly: step.readonly }] : [],
    )
    const { environment } = printablePlan(plan, hidden) as { environment: unknown }
    return {
      ...boxInfo(box, this.#services.registry),
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
    const { registry, commands } = this.#services
    const fds = this.#descriptors(command)
    try {
      const { box, warnings } = await registry.create(options, 'run', command.command)
      for (const warning of warnings) connection.notice(warning)
      if (command.terminal) await loadScreens()
      return await commands.start(connection, box, command, fds)
    } finally {
      fds.forEach(closeDescriptor)
    }
  }

  async #exec(connection: Connection, call: Call & { do: 'exec' }): Promise<unknown> {
    const { registry, commands } = this.#services
    const fds = this.#descriptors(call.command)
    try {
      const box = registry.get(call.name)
      if (call.command.terminal) await loadScreens()
      return await commands.start(connection, box, call.command, fds)
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

  async #shell(connection: Connection, call: Call & { do: 'shell.open' }): Promise<unknown> {
    const { terminals, manifest } = this.#services.registry.get(call.name)
    const command = call.command.length ? call.command : [manifest.shell]
    const owned = new Set(manifest.commands.map(({ pty }) => pty))
    const free = manifest.ptys.find(
      (record) =>
        record.id > 0 &&
        !owned.has(record.id) &&
        record.command.join('\0') === command.join('\0') &&
        terminals.ptys.get(record.id)?.clients.size === 0,
    )
    const watch = { ...call, readonly: false }
    const known = free && !call.fresh ? terminals.ptys.get(free.id) : undefined
    if (known) return this.#show(connection, call.name, known, watch)
    const env = terminals.environment(call.term)
    const where = { cwd: manifest.plan.workspace.target, env, size: call.size }
    await loadScreens() // before: a command may be over while they are loaded
    const { pty } = await terminals.open(undefined, command, where)
    // At once: a command may be over before a second call came.
    return this.#show(connection, call.name, pty, { ...watch, from: 0 })
  }

  #pty(name: string, id: number): Pty {
    const box = this.#services.registry.get(name)
    if (!box.running) {
      throw new CoopError('E_BOX_STATE', `the box ${name} is stopped${reasonOf(box)}`, {
        hint: `coop start ${name}`,
      })
    }
    const pty = box.terminals.ptys.get(id)
    if (pty) return pty
    throw new CoopError('E_NO_BOX', `the box ${name} has no terminal ${id}`, {
      hint: `coop shell ls ${name}`,
    })
  }

  /** Attach a client to a PTY until either is gone. */
  async #show(
    connection: Connection,
    name: string,
    pty: Pty,
    watch: Omit<Call & { do: 'attach' }, 'do' | 'name' | 'pty'>,
  ): Promise<unknown> {
    await loadScreens()
    connection.terminal = watch.terminal
    this.#follow(
      connection,
      pty,
      new Feed(pty, connection, { ...watch, size: watch.size, from: watch.from }),
      name,
    )
    for (const other of this.#services.registry.boxes)
      if (other.manifest.waiting) connection.event({ box: other.name, waiting: true })
    return { box: name, pty: pty.id, taken: connection.continueInput(pty, watch.typed) }
  }

  #follow(connection: Connection, pty: Pty, feed: Feed, shown?: string): void {
    const forget = pty.onClose((end) => {
      if (connection.activity?.feed !== feed) return
      feed.finish()
      connection.tell({ type: 'exit', ...end })
      connection.activity = undefined
    })
    connection.activity = { feed, abandon: forget, ...(shown === undefined ? {} : { box: shown }) }
  }

  /** Let the client type into its terminal, and read what that answers, without us in between. */
  #direct(connection: Connection, token: string): void {
    const socket = this.#services.desk.takeSocket(token)
    if (socket === undefined)
      throw new CoopError('E_FAILED', 'the socket for the terminal did not arrive', { hint: 'try again' })
    try {
      const feed = connection.activity?.feed
      if (!feed || feed.readonly || feed.pty.closed)
        throw new CoopError('E_FAILED', 'this connection shows no terminal to type into')
      sendDescriptors(socket, new Uint8Array(1), feed.pty.descriptors)
      feed.goDirect()
    } finally {
      closeDescriptor(socket)
    }
  }

  #logs(connection: Connection, call: Call & { do: 'logs' }): unknown {
    const box = this.#services.registry.get(call.name)
    const last = box.running || call.pty !== 0 || call.follow ? undefined : box.lastOutput
    if (last) {
      connection.send(encodeOutput(0, last))
      return { from: 0, offset: last.length }
    }
    const pty = this.#pty(call.name, call.pty)
    const from = Math.max(call.from ?? 0, pty.ring.start)
    const feed = new Feed(pty, connection, { readonly: true, size: undefined, from, plain: true })
    const { offset } = pty.ring
    if (call.follow) this.#follow(connection, pty, feed)
    else connection.activity = { feed, abandon: () => {} }
    return { from, offset }
  }
}

function reasonOf({ manifest }: Box): string {
  return manifest.reason ? ` (${manifest.reason})` : ''
}

/** Whether the process at the other end of a connection is the user whom this daemon serves. */
export function isOwner(socket: number): boolean {
  return peerCredentials(socket).uid === process.getuid?.()
}
