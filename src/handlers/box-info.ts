/** The facts that listings show of a box. */
import type { Box } from '../box/box.ts'
import type { UnknownBox } from '../box/unknown-box.ts'
import type { Registry } from '../engine/registry.ts'
import { displacedIn } from '../plan/displaced.ts'
import type { BoxInfo, BoxStatus, ClientInfo, PtyInfo } from '../protocol/calls/boxes.ts'
import { printablePlan } from '../sandbox/plan.ts'
import { Feed } from '../session/feed.ts'
import { type Activity, needsUser } from '../terminal/activity.ts'
import type { Pty } from '../terminal/pty.ts'

const MAX_HIDDEN = 10_000 // names in one answer

/** Returns the clients of a terminal. All of them are feeds, each of one connection. */
function clientsOf(pty: Pty): ClientInfo[] {
  return [...pty.clients].flatMap((client) => (client instanceof Feed ? (client.about ?? []) : []))
}

/** In one word: of a running box the state of its agent, or that it is there for a command of `coop run`. */
function stateOf({ ending, manifest: { state, kind, ptys } }: Box, doing: Activity | undefined): string {
  if (ending) return 'ending'
  if (state !== 'running') return state
  if (kind === 'run') return 'run'
  const terminal = ptys.find(({ id }) => id === 0)?.state ?? 'running'
  return terminal === 'running' ? (doing?.state ?? terminal) : terminal
}

const waitOf = ({ since, text }: Activity) => ({ since, ...(text === undefined ? {} : { text }) })

export function boxInfo(box: Box, registry: Registry): BoxInfo {
  const { manifest } = box
  // A box that is held back shows that, whatever its agent makes of it.
  const pause = box.running ? registry.context.broker.pauseOf(box) : undefined
  const known = manifest.doing?.from === 'budget' ? undefined : manifest.doing
  const doing: Activity | undefined = pause ? { state: 'blocked', from: 'budget', ...pause } : known
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
  const displaced = box.running ? displacedIn(manifest.plan, manifest.init?.pid) : undefined
  const memory = manifest.init && box.memory.read(manifest.init.pid)
  return {
    name: manifest.name,
    workspace: manifest.plan.workspace.source.path,
    image: manifest.plan.image,
    network: manifest.plan.network,
    ...(registry.isOlderBuild(box) ? { olderBuild: true as const } : {}),
    agent: manifest.agent.title,
    state: stateOf(box, doing),
    ...(manifest.reason ? { reason: manifest.reason } : {}),
    ...(doing ? { doing } : {}),
    ...(needsUser(doing) ? { waiting: waitOf(doing) } : {}),
    ...(displaced ? { displaced } : {}),
    created: manifest.created,
    ptys,
    clients: ptys.reduce((sum, pty) => sum + pty.clients.length, 0),
    detachKey: manifest.detachKey,
    ...(memory === undefined ? {} : { memory }),
  }
}

/** Returns the facts that listings show of a box that cannot be read. */
export function unknownInfo(box: UnknownBox): BoxInfo {
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

/** Returns everything about one box. */
export function boxStatus(box: Box, registry: Registry, listsHidden: boolean): BoxStatus {
  const { plan, init, hidden, autoRestart } = box.manifest
  const mounts = plan.steps.flatMap((step) =>
    step.do === 'bind' ? [{ source: step.source.path, target: step.at, readonly: step.readonly }] : [],
  )
  const uses = registry.context.broker.usesOf(box)
  return {
    ...boxInfo(box, registry),
    hostname: plan.hostname,
    user: plan.user,
    ids: plan.ids,
    network: plan.network,
    limits: plan.limits,
    confinement: plan.confinement,
    mounts,
    environment: printablePlan(plan, hidden).environment,
    autoRestart,
    ...(uses.length ? { broker: [...uses] } : {}),
    ...(init ? { init } : {}),
    notes: [...plan.notes, ...box.secrets.notes],
    hiddenCount: box.secrets.hidden.length,
    ...(listsHidden ? { hidden: box.secrets.hidden.slice(0, MAX_HIDDEN) } : {}),
  }
}
