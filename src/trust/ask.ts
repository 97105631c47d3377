/**
 * A question that a person must answer before a box gets something. Planning collects all of them: for a project's
 * coop.toml (project-asks.ts), and for anything else that changed where a box can write. One refusal carries them all,
 * so that the person is asked once.
 */
import { CoopError } from '../core/errors.ts'

export interface Ask {
  /** The meaning and nothing else: the same for every way of writing it. Accepted keys are remembered. */
  readonly key: string
  /** Plain words that continue "it wants to": harmless for a terminal, and short (words.ts). */
  readonly sentence: string
  /** The key of coop.toml that makes the request, as `coop config` lists it. */
  readonly at?: string | undefined
  /** Whether an accepted key covers this request because it is wider. */
  isWithin?(accepted: string): boolean
}

/** The number of requests shown at once. Nobody reads more, and a request that was not shown must not be accepted. */
export const MAX_SHOWN = 20
/** Nobody can judge a project that asks for more. */
export const MAX_ASKS = 200
const NAMED = 3 // requests named in an error, which is one line

/** The requests that no accepted one covers. */
export function openAsks(asks: readonly Ask[], accepted: ReadonlySet<string>): Ask[] {
  const isCovered = (ask: Ask): boolean =>
    accepted.has(ask.key) || [...accepted].some((key) => ask.isWithin?.(key) === true)
  return asks.filter((ask) => !isCovered(ask))
}

/** E_TRUST: nothing starts before a person has accepted `asks` for this folder. */
export function trustError(workspace: string, asks: readonly Ask[], note = ''): CoopError {
  if (asks.length > MAX_ASKS)
    return new CoopError('E_CONFIG', `the coop.toml of ${workspace} asks for more than ${MAX_ASKS} things`, {
      hint: 'shorten it, so that a person can read all of its requests',
    })
  const named = asks.slice(0, NAMED).map(({ sentence }) => sentence)
  const more = asks.length > NAMED ? `; and ${asks.length - NAMED} more` : ''
  const sentence = `the project in ${workspace} wants what you have not accepted: to ${named.join('; to ')}${more}`
  return new CoopError('E_TRUST', `${note}${sentence}`, {
    hint: `read and accept it: coop trust -w ${quoted(workspace)}; in scripts use --trust`,
    details: { workspace, note, asks: asks.map(({ key, sentence }) => ({ key, sentence })) },
  })
}

const quoted = (path: string): string =>
  /^[\w./+@%:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`

/** The requests of a folder's project that are not accepted. */
export interface Wanted {
  readonly workspace: string
  readonly asks: readonly Pick<Ask, 'key' | 'sentence'>[]
  readonly note: string
}

/** The requests in an error; undefined for any other error. */
export function wantedBy(error: unknown): Wanted | undefined {
  if (!(error instanceof CoopError) || error.code !== 'E_TRUST') return undefined
  const { workspace, asks, note } = error.details ?? {}
  if (typeof workspace !== 'string' || !Array.isArray(asks)) return undefined
  // The details come from our own daemon or worker.
  return { workspace, asks: asks as Wanted['asks'], note: typeof note === 'string' ? note : '' }
}
