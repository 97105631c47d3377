/** Maps each call of the protocol's table to its handler. The handlers are in `handlers/`, by topic. */
import type { Call, CallName, Reply, Request } from '../protocol/calls.ts'
import type { ClientChannel } from '../session/client-channel.ts'
import { boxHandlers } from './boxes.ts'
import { brokerHandlers } from './broker.ts'
import { commandHandlers } from './commands.ts'
import { copyHandlers } from './copies.ts'
import { imageHandlers } from './images.ts'
import { previewHandlers } from './previews.ts'
import { pushHandlers } from './push.ts'
import type { Services } from './services.ts'
import { servingHandlers } from './serving.ts'
import { snapshotHandlers } from './snapshots.ts'
import { systemHandlers } from './system.ts'
import { terminalHandlers } from './terminals.ts'
import { trustHandlers } from './trust.ts'

type Handlers = { readonly [N in CallName]: Handler<N> }
type Handler<N extends CallName> = (
  channel: ClientChannel,
  request: Request<N>,
) => Promise<Reply<N>> | Reply<N>

/** The handlers of one topic. */
export type HandlersFor<N extends CallName> = { readonly [K in N]: Handler<K> }

/** Answers calls; rejects with a CoopError. */
export type Answer = (channel: ClientChannel, call: Call) => Promise<unknown>

export function answering(services: Services): Answer {
  const handlers: Handlers = {
    ...boxHandlers(services),
    ...terminalHandlers(services),
    ...commandHandlers(services),
    ...copyHandlers(services),
    ...snapshotHandlers(services),
    ...previewHandlers(services),
    ...imageHandlers(services),
    ...systemHandlers(services),
    ...trustHandlers(services),
    ...brokerHandlers(services),
    ...pushHandlers(services),
    ...servingHandlers(services),
  }
  const answer = async <N extends CallName>(
    channel: ClientChannel,
    name: N,
    request: Request<N>,
  ): Promise<Reply<N>> => handlers[name](channel, request)
  return (channel, call) => answer(channel, call.do, call)
}
