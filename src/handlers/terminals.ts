/** Handlers of calls about the terminals of a box. */
import { SIGHUP } from '../../ffi/abi/constants.ts'
import { sendDescriptors } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Box } from '../box/box.ts'
import { DEFAULTS } from '../config/schema.ts'
import { CoopError } from '../core/errors.ts'
import { withPath } from '../host/callers.ts'
import type { FilterRules } from '../input-filter/input-filter.ts'
import type { Shown, TERMINAL_CALLS } from '../protocol/calls/terminals.ts'
import type { Reply, Request } from '../protocol/calls.ts'
import type { ClientChannel } from '../session/client-channel.ts'
import { Feed } from '../session/feed.ts'
import { type Activity, needsUser } from '../terminal/activity.ts'
import type { Pty } from '../terminal/pty.ts'
import type { PtyEnd } from '../terminal/pty-client.ts'
import { loadScreens } from '../terminal/screen-keeper.ts'
import { statusReport } from '../vt/program-status.ts'
import type { HandlersFor } from './handlers.ts'
import type { Services } from './services.ts'

/** The options of a client that wants to see a terminal. */
type Watching = Pick<Request<'attach'>, 'readonly' | 'size' | 'terminal' | 'from' | 'typed'>

export function terminalHandlers(services: Services): HandlersFor<keyof typeof TERMINAL_CALLS> {
  const { registry, desk } = services

  /** Attaches a client to a terminal until either is gone. */
  const show = async (channel: ClientChannel, box: Box, pty: Pty, watch: Watching): Promise<Shown> => {
    await loadScreens()
    channel.terminal = watch.terminal
    const feed = new Feed(pty, channel, { readonly: watch.readonly, size: watch.size, from: watch.from })
    follow(channel, pty, feed, box.name)
    for (const other of registry.boxes)
      if (needsUser(other.manifest.doing))
        channel.client.tellWaiting({ event: 'waiting', box: other.name, waiting: true })
    // Who only watches types nothing, and must not take over the input of another client by naming its number.
    const taken = watch.readonly
      ? (watch.typed ?? 0)
      : channel.continueInput(pty, watch.typed, pty.id === 0 ? () => filterOf(box) : undefined)
    const report = pty.id === 0 ? reportOf(box.terminals.agent?.activity) : undefined
    const shown = { box: box.name, pty: pty.id, detachKey: box.manifest.detachKey, taken }
    return { ...shown, ...(report === undefined ? {} : { report }) }
  }

  return {
    attach: (channel, { pty, ...request }) => {
      const box = registry.find(request)
      return show(channel, box, terminalOf(box, pty), request)
    },
    'shell.open': async (channel, request) => {
      const box = registry.find(request)
      const { terminals, manifest } = box
      const command = request.command.length ? request.command : [manifest.shell]
      const watch = { ...request, readonly: false }
      const free = request.fresh ? undefined : freeShell(box, command)
      if (free) return show(channel, box, free, watch)
      const env = terminals.environment(request.term)
      const where = {
        cwd: manifest.plan.workspace.target,
        env,
        size: request.size,
        caller: channel.caller,
      }
      await loadScreens() // before opening: a short command could end while the module loads
      const { pty } = await terminals.open(undefined, command, where)
      // Shown within this call: a short command could end before a second call arrives.
      return show(channel, box, pty, { ...watch, from: 0 })
    },
    'pty.restart': async ({ caller }, { pty, environment, ...target }) => {
      const box = registry.find(target)
      terminalOf(box, pty)
      // A restart of the agent applies the current coop.toml.
      const warnings =
        pty === 0 ? await registry.configure(box.name, environment, withPath(caller, environment)) : []
      await box.terminals.restart(pty)
      return { box: box.name, agent: box.manifest.agent.title, warnings }
    },
    'pty.kill': async (_, { pty, ...target }) => {
      const box = registry.find(target)
      terminalOf(box, pty)
      await box.terminals.close(pty, { ended: 'hangup', code: 128 + SIGHUP })
      return { box: box.name }
    },
    'pty.direct': async (channel, { descriptors }) => {
      channel.needDescriptors()
      const socket = await desk.takeSocket(descriptors)
      if (socket === undefined)
        throw new CoopError('E_FAILED', 'the socket for the terminal did not arrive', { hint: 'try again' })
      try {
        const feed = channel.activity?.feed
        if (!feed || feed.readonly || feed.pty.closed)
          throw new CoopError('E_FAILED', 'this connection shows no terminal to type into')
        sendDescriptors(socket, new Uint8Array(1), feed.pty.descriptors)
        feed.goDirect()
      } finally {
        closeDescriptor(socket)
      }
      return null
    },
    screen: async (_, { pty: id, styled, ...target }) => {
      const box = registry.find(target)
      const pty = terminalOf(box, id, `coop logs ${box.name}`)
      await loadScreens()
      const screen = await pty.text(styled)
      if (!screen) throw new CoopError('E_BOX_STATE', `terminal ${id} of the box ${box.name} was closed`)
      return { box: box.name, pty: id, ...screen }
    },
    logs: (channel, request) => logs(channel, registry.find(request), request),
  }
}

/** What browsers cannot type at the agent. */
function filterOf({ manifest }: Box): FilterRules {
  const { ctrl_c_debounce_ms, block_sequences } = manifest.inputFilter ?? DEFAULTS.input_filter
  return { debounce: ctrl_c_debounce_ms, sequences: block_sequences }
}

/** What an agent that reports has reported last; a client that comes has not seen it. */
function reportOf(doing: Activity | undefined): string | undefined {
  if (doing?.from !== 'report' || doing.state === 'waiting') return undefined
  return statusReport(doing.state, doing.text)
}

function logs(
  channel: ClientChannel,
  box: Box,
  { pty: id, follow: stays, from: wanted }: Request<'logs'>,
): Reply<'logs'> {
  const last = box.running || id !== 0 || stays ? undefined : box.lastOutput
  if (last) {
    channel.output(0, last)
    return { box: box.name, from: 0, offset: last.length }
  }
  const pty = terminalOf(box, id)
  const from = Math.max(wanted ?? 0, pty.ring.start)
  const feed = new Feed(pty, channel, { readonly: true, size: undefined, from, plain: true })
  const { offset } = pty.ring
  if (stays) follow(channel, pty, feed)
  else channel.activity = { feed, abandon: () => {} }
  return { box: box.name, from, offset }
}

/** `shown`: the box, when a person looks at its terminal. */
function follow(channel: ClientChannel, pty: Pty, feed: Feed, shown?: string): void {
  const isOurs = (): boolean => channel.activity?.feed === feed
  const forget = pty.onClose((end) => {
    if (!isOurs()) return
    void feed.finish() // the terminal is gone: sends only output that is under way
    channel.exit(end)
    channel.activity = undefined
  })
  const leave = async (end: PtyEnd): Promise<void> => {
    await feed.finish()
    if (!isOurs()) return
    channel.exit(end)
    channel.activity = undefined
    feed.close()
    abandon()
  }
  const stay = shown === undefined ? () => {} : pty.listen({ leave: (end) => void leave(end) })
  const abandon = (): void => {
    forget()
    stay()
  }
  channel.activity = { feed, abandon, ...(shown === undefined ? {} : { box: shown }) }
}

/** Returns a shell that runs that command and has no attached client. */
function freeShell({ manifest, terminals }: Box, command: readonly string[]): Pty | undefined {
  const owned = new Set(manifest.commands.map(({ pty }) => pty))
  const free = manifest.ptys.find(
    (record) =>
      record.id > 0 &&
      !owned.has(record.id) &&
      record.command.join('\0') === command.join('\0') &&
      terminals.ptys.get(record.id)?.clients.size === 0,
  )
  return free && terminals.ptys.get(free.id)
}

/** Raises E_BOX_STATE for a box that is stopped, E_NO_BOX for a terminal that it does not have. */
function terminalOf(box: Box, id: number, hint = `coop start ${box.name}`): Pty {
  if (!box.running) {
    const { reason } = box.manifest
    const sentence = `the box ${box.name} is stopped${reason ? ` (${reason})` : ''}`
    throw new CoopError('E_BOX_STATE', sentence, { hint })
  }
  const pty = box.terminals.ptys.get(id)
  if (pty) return pty
  throw new CoopError('E_NO_BOX', `the box ${box.name} has no terminal ${id}`, {
    hint: `coop shell ls ${box.name}`,
  })
}
