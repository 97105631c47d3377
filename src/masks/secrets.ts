/** Hides secrets in all boxes of a daemon: one index for each folder, one set of covers for each mount of a box. */
import type { Channel } from '../../ffi/channel.ts'
import { placeIdentity } from '../../ffi/tree.ts'
import type { Watcher } from '../../ffi/watcher.ts'
import type { HiddenMounts } from '../sandbox/plan.ts'
import { ruleText, secretSettings } from '../secrets/decide.ts'
import { MountCovers } from './covers.ts'
import type { Hidden } from './hidden.ts'
import { nameText } from './scan.ts'
import { SecretIndex } from './secret-index.ts'
import { unwatchedError, unwatchedText } from './unwatched.ts'
import { Watches } from './watches.ts'

const MAX_IDLE = 8 // indexes of folders without a box that are kept for the next one
const NAMED = 5 // patterns in a warning

/** A hidden name as `coop status` shows it. */
export interface HiddenName {
  /** In the box. */
  readonly path: string
  readonly rule: string
}

function reasonText({ reason }: Hidden): string {
  if (reason.by === 'same-file') return `the same file as ${nameText(reason.path)}`
  if (reason.by === 'link') return `the link ${nameText(reason.path)} leads to it`
  return ruleText(reason)
}

/** The covers of one box. */
export class BoxCovers {
  readonly #mounts: readonly MountCovers[]
  constructor(mounts: readonly MountCovers[]) {
    this.#mounts = mounts
  }

  /** What the user may want to know, as of now. */
  get notes(): readonly string[] {
    const indexes = new Set(this.#mounts.map(({ index }) => index))
    return [...new Set([...indexes].flatMap(notesOf)), ...this.#mounts.flatMap(trackedNote)]
  }

  get hidden(): readonly HiddenName[] {
    return this.#mounts.flatMap(({ at, hidden }) =>
      hidden.map((one) => ({
        path: `${at}/${nameText(one.path)}${one.folder ? '/' : ''}`,
        rule: reasonText(one),
      })),
    )
  }

  stop(): void {
    for (const mount of this.#mounts) mount.stop()
  }
}

/** What is known of the secrets in a box's mounts. */
export interface FoundSecrets {
  /** By the place of the mount in the box. */
  readonly indexes: ReadonlyMap<string, SecretIndex>
  /** Places of mounts, which are shown. */
  readonly kept: ReadonlySet<string>
}

export class Secrets {
  readonly #indexes = new Map<string, SecretIndex>()
  readonly #watches: Watches
  readonly #log: (event: string, fields: Readonly<Record<string, unknown>>) => void

  constructor(watcher: Watcher, log: (event: string, fields: Readonly<Record<string, unknown>>) => void) {
    this.#log = log
    this.#watches = new Watches(watcher, () => {
      for (const index of this.#indexes.values()) index.overflowed()
    })
  }

  /** Finds the secrets of a plan's mounts. Raises E_CONFIG for a bad `.coopignore`, E_ISOLATION if it must be strict; neither for a box that `runs`. */
  async find({ mounts, hide, show, strict, kept = [] }: HiddenMounts, runs: boolean): Promise<FoundSecrets> {
    const settings = secretSettings({ hide, show })
    const found = new Map<string, SecretIndex>()
    for (const { at, path } of mounts) {
      // Another folder may be at the path of an earlier one.
      const key = JSON.stringify([path, placeIdentity(path), hide, show])
      const index = this.#indexes.get(key) ?? new SecretIndex(path, settings, this.#watches)
      this.#indexes.delete(key) // the latest is the last
      this.#indexes.set(key, index)
      try {
        await index.ready(runs)
      } catch (error) {
        // Boxes that run keep what they have; nobody else needs it.
        if (!index.listeners.size) index.close()
        throw error
      }
      if (strict && !runs && index.unwatched) throw unwatchedError(path, index.unwatched)
      found.set(at, index)
    }
    this.#forgetIdle(new Set(found.values()))
    return { indexes: found, kept: new Set(kept) }
  }

  #forgetIdle(needed: ReadonlySet<SecretIndex>): void {
    const idle = [...this.#indexes].filter(([, index]) => !index.listeners.size && !needed.has(index))
    for (const [key, index] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE))) {
      index.close()
      this.#indexes.delete(key)
    }
  }

  /** Covers what was found in a box. `runs`: its programs run already. */
  async cover(
    box: string,
    channel: Channel,
    { indexes, kept }: FoundSecrets,
    runs: boolean,
  ): Promise<BoxCovers> {
    const mounts = [...indexes].map(
      ([at, index]) =>
        new MountCovers(at, index, kept, channel, (error) => this.#log('secret-not-hidden', { box, error })),
    )
    try {
      for (const mount of mounts) await mount.start(runs)
    } catch (error) {
      for (const mount of mounts) mount.stop()
      throw error
    }
    return new BoxCovers(mounts)
  }
}

function trackedNote({ tracked, index: { path } }: MountCovers): string[] {
  if (!tracked) return []
  const files = tracked === 1 ? 'one hidden file' : `${tracked} hidden files`
  return [`git tracks ${files} in ${path}: a box can read what was committed of them (git show)`]
}

function notesOf(index: SecretIndex): string[] {
  const { unwatched, path } = index
  const { unused } = index.ignores
  const named = unused.slice(0, NAMED).join(', ')
  const more = unused.length > NAMED ? ` and ${unused.length - NAMED} more` : ''
  return [
    ...(unused.length ? [`patterns in ${path} match nothing: ${named}${more}`] : []),
    ...(unwatched ? [unwatchedText(path, unwatched)] : []),
  ]
}
