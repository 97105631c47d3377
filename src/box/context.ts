/** The services and settings that a box is made with. */
import type { Channel } from '../../ffi/channel.ts'
import type { Watcher } from '../../ffi/watcher.ts'
import type { Broker } from '../broker/plan/plan-broker.ts'
import type { Cgroups } from '../container/cgroup.ts'
import type { Nursery } from '../container/spare-inits.ts'
import type { Bus } from '../core/bus.ts'
import type { Paths } from '../core/paths.ts'
import { bootId } from '../host/boot.ts'
import type { HostFacts } from '../host/facts.ts'
import type { Secrets } from '../masks/secrets.ts'
import type { Prepared } from '../plan/prepare.ts'
import { futureStubs } from '../plan/stubs.ts'
import type { CoopEvent } from '../protocol/events.ts'
import type { Caller } from '../sandbox/caller.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Box } from './box.ts'

/** The daemon's services that every box needs. */
export interface BoxContext {
  readonly paths: Paths
  readonly host: HostFacts
  readonly zygote: Channel
  readonly nursery: Nursery
  readonly cgroups: Cgroups
  readonly watcher: Watcher
  readonly secrets: Secrets
  readonly broker: Broker
  log(event: string, fields?: Readonly<Record<string, unknown>>): void
  /** Receives every event, once the new state is on disk. */
  readonly bus: Bus<CoopEvent>
  /** Called when the last process of a box has ended, also of one that was never whole. */
  released(box: Manifest): void
  /** Called when the box is gone, or stopped by itself. */
  ended(box: Box): void
}

/** Returns the fields of a manifest that come from the configuration and the caller. A caller that is not known changes nothing. */
export function settings(
  { plan, config, hidden, agent, layered, broker }: Prepared,
  caller: Caller | undefined,
) {
  return {
    workspace: plan.workspace.source.path,
    plan,
    stubs: futureStubs(plan),
    boot: bootId(),
    layered,
    hidden,
    agent,
    autoRestart: config.session.auto_restart,
    restartDelayMs: config.session.restart_delay_ms,
    shell: config.sandbox.shell,
    detachKey: config.session.detach_key,
    inputFilter: config.input_filter,
    notify: config.session.notify,
    broker: broker?.grant,
    ...(caller ? { caller } : {}),
  }
}

/** How a box is stopped. */
export interface BoxStop {
  readonly force: boolean
  readonly reason?: string
  /** Told to clients who see its terminals. */
  readonly ended?: 'stopped' | 'restored'
}
