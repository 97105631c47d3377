/**
 * What a person is asked before a box gets it. Whoever plans a box collects these, whatever they are about: a project's
 * coop.toml (project-asks.ts), or anything else that changed where a box can write. One refusal carries them all, so that
 * a person is asked once.
 */
import { CoopError } from '../core/errors.ts'

export interface Ask {
  /** What is meant, and nothing else: the same for every way of writing it. This is what is remembered. */
  readonly key: string
  /** In plain words, to go on after "it wants to": harmless for a terminal, and short (words.ts). */
  readonly sentence: string
  /** The key of coop.toml that says so, as `coop config` lists it. */
  readonly at?: string | undefined
  /** Whether what was accepted before, by its key, is wider than this. */
  isWithin?(accepted: string): boolean
}

/** So many are shown at once: nobody reads more, and what was not shown must not be accepted. */
export const MAX_SHOWN = 20
/** Of what asks for more, nobody can tell what it is. */
export const MAX_ASKS = 200
const NAMED = 3 // in an error, which is one line

/** Those of `asks` that nothing accepted covers. */
export function openAsks(asks: readonly Ask[], accepted: ReadonlySet<string>): Ask[] {
  const isCovered = (ask: Ask): boolean =>
    accepted.has(ask.key) || [...accepted].some((key) => ask.isWithin?.(key) === true)
  return asks.filter((ask) => !isCovered(ask))
}

/** E_TRUST: nothing is started before a person has accepted `asks` for this folder. */
export function trustError(workspace: string, asks: readonly Ask[], note = ''): CoopError {
  if (asks.length > MAX_ASKS)
    return new CoopError('E_CONFIG', `the coop.toml of ${workspace} asks for more than ${MAX_ASKS} things`, {
      hint: 'nobody can tell what it is up to: make it shorter',
    })
  const named = asks.slice(0, NAMED).map(({ sentence }) => sentence)
  const more = asks.length > NAMED ? `; and ${asks.length - NAMED} more` : ''
  const sentence = `the project in ${workspace} wants what you have not accepted: to ${named.join('; to ')}${more}`
  return new CoopError('E_TRUST', `${note}${sentence}`, {
    hint: `look at it and accept it: coop trust -w ${quoted(workspace)}; scripts accept it with --trust`,
    details: { workspace, note, asks: asks.map(({ key, sentence }) => ({ key, sentence })) },
  })
}

const quoted = (path: string): string =>
  /^[\w./+@%:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`

/** What is not accepted of a folder's project. */
export interface Wanted {
  readonly workspace: string
  readonly asks: readonly Pick<Ask, 'key' | 'sentence'>[]
  readonly note: string
}

/** What an error asks for; undefined for any other error. */
export function wantedBy(error: unknown): Wanted | undefined {
  if (!(error instanceof CoopError) || error.code !== 'E_TRUST') return undefined
  const { workspace, asks, note } = error.details ?? {}
  if (typeof workspace !== 'string' || !Array.isArray(asks)) return undefined
  // Of our own daemon or worker.
  return { workspace, asks: asks as Wanted['asks'], note: typeof note === 'string' ? note : '' }
}
