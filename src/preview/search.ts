/**
 * Searches for the holders of sockets, one at a time: a box may have thousands of processes and a page that asks all the
 * time. Whoever asks while a search runs shares the next one.
 */
import { findHolders, type Holder, type Run } from './owners.ts'

const REST = 3 // a search that took a second is followed by so many without one

type Holders = ReadonlyMap<number, Holder>

export class HolderSearch {
  readonly #run: Run
  #next: { readonly inodes: Set<number>; readonly found: Promise<Holders> } | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(run: Run) {
    this.#run = run
  }

  /** The holders of these sockets, by a search that begins from now on. Rejects when the box is ending. */
  find(inodes: Iterable<number>): Promise<Holders> {
    if (!this.#next) {
      const wanted = new Set<number>()
      const found = this.#last.then(() => {
        this.#next = undefined
        return this.#search(wanted)
      })
      this.#next = { inodes: wanted, found: found.then(({ holders }) => holders) }
      this.#last = found.then(({ rest }) => rest).catch(() => {})
    }
    for (const inode of inodes) this.#next.inodes.add(inode)
    return this.#next.found
  }

  async #search(inodes: ReadonlySet<number>): Promise<{ holders: Holders; rest: Promise<void> }> {
    const began = performance.now()
    const holders = await findHolders(this.#run, inodes)
    return { holders, rest: Bun.sleep(REST * (performance.now() - began)) }
  }
}
