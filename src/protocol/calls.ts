/**
 * Every call that a client can make, in one table. A request and its reply are one value each: the daemon's parser, the
 * client's method, the handler's type, the JSON Schema and docs/protocol.md all follow from it.
 */

import { BOX_CALLS } from './calls/boxes.ts'
import { BROKER_CALLS } from './calls/broker.ts'
import { COMMAND_CALLS } from './calls/commands.ts'
import { COPY_CALLS } from './calls/copies.ts'
import { FOLDER_CALLS } from './calls/folders.ts'
import { IMAGE_CALLS } from './calls/images.ts'
import { PREVIEW_CALLS } from './calls/previews.ts'
import { PUSH_CALLS } from './calls/push.ts'
import { SERVING_CALLS } from './calls/serving.ts'
import { SNAPSHOT_CALLS } from './calls/snapshots.ts'
import { SYSTEM_CALLS } from './calls/system.ts'
import { TERMINAL_CALLS } from './calls/terminals.ts'
import { TRUST_CALLS } from './calls/trust.ts'
import type { NameIn, ReplyIn, RequestIn } from './shapes/call.ts'

export const CALLS = {
  ...BOX_CALLS,
  ...TERMINAL_CALLS,
  ...COMMAND_CALLS,
  ...COPY_CALLS,
  ...SNAPSHOT_CALLS,
  ...PREVIEW_CALLS,
  ...IMAGE_CALLS,
  ...TRUST_CALLS,
  ...BROKER_CALLS,
  ...FOLDER_CALLS,
  ...SERVING_CALLS,
  ...PUSH_CALLS,
  ...SYSTEM_CALLS,
} as const

export type CallName = NameIn<typeof CALLS>
export type Request<N extends CallName> = RequestIn<typeof CALLS, N>
export type Reply<N extends CallName> = ReplyIn<typeof CALLS, N>

/** A call as sent: its name, and the fields of its request. */
export type Call = { [N in CallName]: { readonly do: N } & Request<N> }[CallName]

/** Returns whether there is a call of that name. */
export function isCallName(name: unknown): name is CallName {
  return typeof name === 'string' && Object.hasOwn(CALLS, name)
}
