/** The services that handlers of calls use. */

import type { KeyBroker } from '../broker/broker.ts'
import type { Bus } from '../core/bus.ts'
import type { Log } from '../engine/log.ts'
import type { Registry } from '../engine/registry.ts'
import type { PortWatch } from '../preview/watch.ts'
import type { SystemStatus } from '../protocol/calls/system.ts'
import type { CoopEvent } from '../protocol/events.ts'
import type { Serving } from '../serve/serving.ts'
import type { Commands } from '../session/commands.ts'
import type { DescriptorDesk } from '../session/descriptors.ts'

export interface Services {
  readonly bus: Bus<CoopEvent>
  readonly registry: Registry
  readonly commands: Commands
  readonly desk: DescriptorDesk
  readonly log: Log
  readonly broker: KeyBroker
  readonly serving: Serving
  readonly ports: PortWatch
  status(): SystemStatus
  shutdown(): void
}
