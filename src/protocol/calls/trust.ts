/** Calls of `coop trust`. Only the user's own programs reach the daemon's socket: nothing in a box can accept. */
import { call } from '../shapes/call.ts'
import { flag, integer, list, nothing, type Of, object, text } from '../shapes/shapes.ts'
import { boxOptions, time } from '../shapes/values.ts'

const MAX_ASKS = 200 // of a project; the daemon refuses one that asks for more
const MAX_SENTENCE = 16_384 // characters

const ask = { key: text(MAX_SENTENCE), sentence: text(MAX_SENTENCE) }

/** What one folder's coop.toml asks for. */
const trustInfo = object({
  /** Links resolved. */
  workspace: text(),
  asks: list(object({ ...ask, accepted: flag }), MAX_ASKS),
  /** What is wrong with the file of accepted asks, if something is. */
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
    'Tells what the coop.toml of a workspace asks for, and what of it is accepted.',
    object({ box: boxOptions }),
    trustInfo,
  ),
  'trust.accept': call(
    'Accepts what was shown to a person, or is accepted unseen by a script.',
    acceptRequest,
    nothing,
  ),
  'trust.list': call('Lists what is accepted, by folder.', object({}), list(trustedFolder)),
  'trust.revoke': call(
    'Accepts nothing of a folder any more. Tells how many things were accepted.',
    object({ workspace: text() }),
    integer(0, Number.MAX_SAFE_INTEGER),
  ),
} as const
