/** The calls of `coop trust`. Only the user's own programs reach the daemon's socket: what is in a box cannot accept. */
import type { AcceptedAsk } from '../trust/accepted.ts'
import type { Ask } from '../trust/ask.ts'
import { fields, Malformed } from './fields.ts'
import { text } from './text.ts'

const MAX_ACCEPTED = 200 // MAX_ASKS of trust/ask.ts, which nobody needs to load for this
const MAX_SENTENCE = 16_384

export type TrustCall =
  /** What was shown to a person, or accepted unseen by a script. */
  | { readonly do: 'trust.accept'; readonly workspace: string; readonly asks: readonly ShownAsk[] }
  | { readonly do: 'trust.list' }
  | { readonly do: 'trust.revoke'; readonly workspace: string }

export type ShownAsk = Pick<Ask, 'key' | 'sentence'>

/** What one folder's coop.toml asks for. */
export interface TrustInfo {
  /** Links resolved. */
  readonly workspace: string
  readonly asks: readonly (ShownAsk & { readonly accepted: boolean })[]
  /** What is wrong with the file of accepted asks, if something is. */
  readonly note: string
}

export interface TrustedFolder {
  readonly workspace: string
  readonly accepted: readonly AcceptedAsk[]
}

/** Undefined for another call; throws for one that is malformed. */
export function trustCall(it: Readonly<Record<string, unknown>>): TrustCall | undefined {
  switch (it.do) {
    case 'trust.accept':
      return { do: it.do, workspace: text(it.workspace), asks: asks(it.asks) }
    case 'trust.list':
      return { do: it.do }
    case 'trust.revoke':
      return { do: it.do, workspace: text(it.workspace) }
    default:
      return undefined
  }
}

function asks(value: unknown): ShownAsk[] {
  if (!Array.isArray(value) || value.length > MAX_ACCEPTED) throw new Malformed('a list')
  return value.map((item) => {
    const { key, sentence } = fields(item)
    return { key: text(key), sentence: text(sentence, MAX_SENTENCE) }
  })
}
