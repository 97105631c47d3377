/** Calls about the broker of keys (src/broker). */
import { call } from '../shapes/call.ts'
import { list, number, type Of, object, oneOf, optional, text } from '../shapes/shapes.ts'
import { target } from '../shapes/values.ts'

const provider = oneOf('anthropic', 'openai', 'gemini')

/** What a box may use of one provider, and what it has used. */
export const brokeredUse = object({
  provider,
  /** Where the key comes from: `env:NAME`, `file:PATH`, or `command`. */
  key: text(),
  /** `closed`: the broker does not listen. */
  state: oneOf('ready', 'paused', 'no key', 'closed'),
  /** The address of its API, if it is not the provider's own. */
  url: optional(text()),
  requests: number,
  /** Tokens: neither cached nor written to the cache, answered, read from the cache, written to it. */
  input: number,
  output: number,
  cached: number,
  written: number,
  /** US dollars. */
  cost: number,
  /** Requests whose tokens are an estimate. */
  estimated: number,
  /** US dollars, with what was added. */
  budget: optional(number),
})
export type BrokeredUse = Of<typeof brokeredUse>

export const BROKER_CALLS = {
  'broker.use': call(
    'Lists what boxes have used of the keys that stay outside of them; of one box, or of all.',
    object({ box: optional(text()) }),
    list(object({ box: text(), uses: list(brokeredUse) })),
  ),
  'broker.add': call(
    'Adds US dollars to the budgets of a box, of one provider or of all, and lets it go on.',
    object({ ...target, dollars: number, provider: optional(provider) }),
    object({ box: text(), uses: list(brokeredUse) }),
  ),
} as const
