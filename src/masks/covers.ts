/** Keeps the secrets in one running box covered: those that are there at its start, and those that appear later. */
import type { Channel } from '../../ffi/channel.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { type Cover, type Covered, cover } from '../container/mask-batch.ts'
import { CoopError } from '../core/errors.ts'
import type { Hidden } from './hidden.ts'
import { TrackedNames } from './likeness.ts'
import type { IndexListener } from './node.ts'
import { nameText } from './scan.ts'
import type { SecretIndex } from './secret-index.ts'

const RETRIES = 20 // a writer may replace the same file again and again

/** The covers below one mount of a box. */
export class MountCovers implements IndexListener {
  readonly at: string
  readonly index: SecretIndex
  readonly #kept: ReadonlySet<string>
  readonly #channel: Channel
  readonly #log: (error: string) => void
  readonly #hidden = new Map<string, Hidden>()
  /** How many hidden files git tracks. */
  tracked = 0
  #turn: Promise<unknown> = Promise.resolve()

  /** `kept`: places in the box that are shown, whatever their names. */
  constructor(
    at: string,
    index: SecretIndex,
    kept: ReadonlySet<string>,
    channel: Channel,
    log: (error: string) => void,
  ) {
    this.at = at
    this.index = index
    this.#kept = kept
    this.#channel = channel
    this.#log = log
  }

  /** What the box sees empty now. */
  get hidden(): readonly Hidden[] {
    return [...this.#hidden.values()].filter((one) => !one.within)
  }

  /**
   * Covers everything that is known, and from now on what comes. Raises E_ISOLATION when something stays open, but not for a
   * box that `runs`. Its programs may have a folder open, and a mask over it would hide nothing from them (openat): the
   * files in it are covered one by one.
   */
  async start(runs: boolean): Promise<void> {
    this.index.listeners.add(this) // with the list in one step: nothing may come in between
    const locks = this.index.ignores.paths.map((path): Cover => ({ path, as: 'lock' }))
    const all = this.#notKept(this.index.hidden)
    if (runs) this.#noteFolders(all)
    const hidden = all.filter((one) => (runs ? !one.folder : !one.within))
    await this.#inTurn(async () => {
      await this.#cover(locks, [])
      await this.#cover(this.#coversOf(hidden), hidden, !runs)
    })
  }

  stop(): void {
    this.index.listeners.delete(this)
  }

  hide(some: readonly Hidden[]): void {
    const all = this.#notKept(some)
    this.#noteFolders(all)
    const found = all.filter((one) => !one.folder)
    this.#later(() => this.#cover(this.#coversOf(found), found))
  }

  lock(path: string): void {
    this.#later(() => this.#cover([{ path, as: 'lock' }], []))
  }

  failed(error: unknown): void {
    this.#log(String(error))
  }

  #notKept(hidden: readonly Hidden[]): readonly Hidden[] {
    const isKept = ({ path }: Hidden): boolean => this.#kept.has(`${this.at}/${nameText(path)}`)
    return hidden.some(isKept) ? hidden.filter((one) => !isKept(one)) : hidden
  }

  #coversOf(hidden: readonly Hidden[]): Cover[] {
    if (!hidden.length) return []
    const top = this.index.openTop()
    try {
      const tracked = new TrackedNames(this.index.path, top, hidden)
      return hidden.map((one): Cover => {
        const cover: Cover = { path: one.path, as: one.folder ? 'folder' : 'file' }
        const like = tracked.likeness(one)
        this.tracked += like?.entries.length ?? 0
        return like ? { ...cover, like } : cover
      })
    } finally {
      closeDescriptor(top)
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => {})
    return mine
  }

  #later(work: () => Promise<void>): void {
    void this.#inTurn(work).catch((error) => {
      if (!this.#channel.closed) this.#log(String(error))
    })
  }

  async #cover(covers: readonly Cover[], found: readonly Hidden[], strict = false): Promise<void> {
    if (!covers.length) return
    const outcomes = await cover(this.#channel, this.at, covers)
    for (const [index, outcome] of outcomes.entries()) {
      const one = covers[index] as Cover
      const last = typeof outcome === 'object' ? await this.#again(one, outcome) : outcome
      if (typeof last === 'object') {
        const text = `${this.index.path}/${nameText(one.path)} cannot be hidden (${last.failed})`
        if (!strict) this.#log(text)
        else throw new CoopError('E_ISOLATION', text, { hint: 'move it out of the folder, or rename it' })
      }
      const hidden = found[index]
      if (!hidden) continue
      if (last === 'gone') this.#gone(hidden.path)
      else this.#hidden.set(hidden.path, hidden)
    }
  }

  #noteFolders(all: readonly Hidden[]): void {
    for (const one of all) if (one.folder) this.#hidden.set(one.path, one)
  }

  #gone(path: string): void {
    this.#hidden.delete(path)
    this.index.gone(path)
  }

  /** A name that is being replaced has moments in which it can neither be opened nor covered. */
  async #again(one: Cover, first: Covered): Promise<Covered> {
    let outcome = first
    for (let left = RETRIES; left > 0 && typeof outcome === 'object'; left--)
      outcome = (await cover(this.#channel, this.at, [{ path: one.path, as: one.as }]))[0] ?? 'gone'
    return outcome
  }
}
