/** Calls of `coop trust`. Only the user's own programs reach the daemon's socket: nothing in a box can accept. */
import { call } from '../shapes/call.ts'
import { flag, integer, list, nothing, type Of, object, text } from '../shapes/shapes.ts'
import { boxOptions, time } from '../shapes/values.ts'

const MAX_ASKS = 200 // for a project; the daemon refuses one that asks for more
const MAX_SENTENCE = 16_384 // characters

const ask = { key: text(MAX_SENTENCE), sentence: text(MAX_SENTENCE) }

/** The requests of one folder's coop.toml. */
const trustInfo = object({
  /** The folder's path, with links resolved. */
  workspace: text(),
  asks: list(object({ ...ask, accepted: flag }), MAX_ASKS),
  /** A problem with the file of accepted requests; empty when there is none. */
  note: text(MAX_SENTENCE),
})
export type TrustInfo = Of<typeof trustInfo>

const trustedFolder = object({
  workspace: text(),
  accepted: list(object({ ...ask, since: time })),
})
export type TrustedFolder = Of<typeof trustedFolder>

const acceptRequest = object({ workspace: text(), asks: list(object(ask), MAX_ASKS) })
export type AcceptRequest = Of<typeof acceptRequest>

export const TRUST_CALLS = {
  'trust.show': call(
    'Returns what the coop.toml of a workspace asks for, and which of it is accepted.',
    object({ box: boxOptions }),
    trustInfo,
  ),
  'trust.accept': call(
    'Accepts requests that a person has seen, or that a script accepts unseen.',
    acceptRequest,
    nothing,
  ),
  'trust.list': call('Lists the accepted requests, by folder.', object({}), list(trustedFolder)),
  'trust.revoke': call(
    'Withdraws everything accepted for a folder. Returns how many requests that were.',
    object({ workspace: text() }),
    integer(0, Number.MAX_SAFE_INTEGER),
  ),
} as const
