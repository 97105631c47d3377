/**
 * The daemon's part of `coop cp`. Init finds, opens and makes files; the daemon hands their descriptors to the client,
 * which moves the bytes. A copy of any size therefore costs the daemon nothing, and the client itself resolves the host
 * paths that its user gave.
 */
import { sendDescriptors } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Box } from '../box/box.ts'
import { CoopError } from '../core/errors.ts'
import type { CopyEntry, Created, FileTime, NewEntry, Place } from '../protocol/calls/copies.ts'
import type { BoxFiles, Opened, Unfinished } from '../trees/box-files.ts'
import type { Activity } from './client-channel.ts'

const MAX_UNFINISHED = 1024 // files; a well-behaved client has at most one call's worth in hand

/** One client's copy. */
export class Copying implements Activity {
  readonly #box: Box
  readonly #socket: number
  readonly #unfinished = new Map<number, Unfinished>()
  #next = 0
  #last: Promise<void> = Promise.resolve()

  constructor(box: Box, socket: number) {
    this.#box = box
    this.#socket = socket
  }

  /** Sends the descriptors before the answer, so that the client has them when it reads that. */
  async #give<T>(opened: Promise<Opened<T>>): Promise<readonly T[]> {
    const { entries, fds } = await opened
    try {
      if (fds.length) sendDescriptors(this.#socket, new Uint8Array(1), fds)
    } finally {
      fds.forEach(closeDescriptor)
    }
    return entries
  }

  async #createNow(folder: Place, entries: readonly NewEntry[]): Promise<readonly Created[]> {
    if (this.#unfinished.size + entries.length > MAX_UNFINISHED)
      throw new CoopError('E_FAILED', 'the copy has too many unfinished files')
    const planned = entries.map(({ name }) => ({
      file: this.#next++,
      // An unpredictable name, so that nobody in the box can have prepared something under it.
      unfinished: { folder, name, temporary: `.coop-cp.${crypto.randomUUID()}` },
    }))
    planned.forEach(({ file, unfinished }, index) => {
      if (entries[index]?.type === 'file') this.#unfinished.set(file, unfinished)
    })
    const temporaries = planned.map(({ unfinished }) => unfinished.temporary)
    const created = await this.#give(this.#box.files.create(folder, entries, temporaries))
    return created.map((entry, index) => {
      const file = planned[index]?.file
      if (file === undefined || !this.#unfinished.has(file)) return entry
      if (!entry.error) return { ...entry, file }
      this.#unfinished.delete(file)
      return entry
    })
  }

  async #finishNow(files: readonly number[]): Promise<readonly (string | null)[]> {
    const known = files.map((file) => {
      const unfinished = this.#unfinished.get(file)
      if (!unfinished) throw new CoopError('E_FAILED', 'the copy finishes a file that it did not begin')
      return unfinished
    })
    const results = await this.#box.files.finish(known)
    for (const file of files) this.#unfinished.delete(file)
    return results
  }

  /** Removes all half-made files. */
  async #endNow(): Promise<void> {
    const left = [...this.#unfinished.values()]
    this.#unfinished.clear()
    for (let at = 0; at < left.length; at += 100) await this.#box.files.remove(left.slice(at, at + 100))
  }

  /** Ends the copy of a client that is gone, after its last call, which may still make files that must go, too. */
  abandon(): void {
    void this.#after(() => this.#endNow())
      .catch(() => {}) // the box is gone with its files
      .finally(() => closeDescriptor(this.#socket))
  }

  /** Runs work one after the other, so that answers and descriptors come in the same order. */
  #after<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.then(
      () => {},
      () => {},
    )
    return result
  }

  look(path: string, follow: boolean): ReturnType<BoxFiles['look']> {
    return this.#after(() => this.#box.files.look(path, follow))
  }

  open(folder: Place, names: readonly string[], follow: boolean): Promise<readonly CopyEntry[]> {
    return this.#after(() => this.#give(this.#box.files.open(folder, names, follow)))
  }

  list(folder: Place): Promise<readonly CopyEntry[]> {
    return this.#after(() => this.#give(this.#box.files.list(folder)))
  }

  create(folder: Place, entries: readonly NewEntry[]): Promise<readonly Created[]> {
    return this.#after(() => this.#createNow(folder, entries))
  }

  finish(files: readonly number[]): Promise<readonly (string | null)[]> {
    return this.#after(() => this.#finishNow(files))
  }

  settle(folder: Place, mode: number, mtime: FileTime): Promise<string | null> {
    return this.#after(() => this.#box.files.settle(folder, mode, mtime))
  }

  end(): Promise<void> {
    return this.#after(() => this.#endNow())
  }
}
