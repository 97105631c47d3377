/** Deletes the files of ended boxes, a little later: deleting at once would slow down the next call. */
import type { BoxContext } from '../box/context.ts'
import { inSlices } from '../core/slices.ts'
import { attempt } from '../core/steps.ts'
import { emptyingTrash } from '../store/storage.ts'
import { janitor } from '../trees/remover.ts'

const DELAY_MS = 100 // how long files of ended boxes wait in the trash
const AT_END_MS = 500 // the next daemon deletes the rest

export class Cleaning {
  readonly #context: () => BoxContext
  #running: Promise<void> | undefined
  #timer: Timer | undefined

  constructor(context: () => BoxContext) {
    this.#context = context
  }

  soon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.run(), DELAY_MS)
  }

  /** Empties the trash. Waits for a run that is under way: it may have missed boxes that ended since. */
  async run(): Promise<void> {
    while (this.#running) await this.#running
    this.#running = this.#emptyTrash()
    await this.#running
  }

  /** Files of other ids are left for the next daemon's janitor. */
  atEnd(): void {
    attempt(emptyingTrash(this.#context().paths), AT_END_MS)
  }

  async #emptyTrash(): Promise<void> {
    const context = this.#context()
    try {
      const left = await inSlices(emptyingTrash(context.paths))
      if (left.length) await janitor(context, left)
    } catch (error) {
      context.log('cleaning-failed', { error: String(error) })
    } finally {
      this.#running = undefined
    }
  }
}
