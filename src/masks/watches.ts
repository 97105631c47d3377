/** One inotify descriptor for all folders that the daemon watches for secrets; a user has only 128 of them. */
import * as inotify from '../../ffi/inotify.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Watched, Watcher } from '../../ffi/watcher.ts'
import { openFolderAt, partsOf } from './scan.ts'

/** A watched folder of one index. */
export interface WatchedFolder {
  /** A name has appeared or gone. */
  changed(event: inotify.InotifyEvent): void
  /** The kernel has forgotten the watch, because the folder is gone. */
  lost(): void
}

const ENOSPC = -28
const SLICE_MS = 5

export class Watches {
  readonly #watcher: Watcher
  readonly #folders = new Map<number, Set<WatchedFolder>>()
  readonly #overflowed: () => void
  #fd: number | undefined
  /** Read, and told up to `#next`. */
  #events: inotify.InotifyEvent[] = []
  #next = 0
  #watched: Watched | undefined

  /** `overflowed`: events were lost, so everything must be looked at again. */
  constructor(watcher: Watcher, overflowed: () => void) {
    this.#watcher = watcher
    this.#overflowed = overflowed
  }

  get count(): number {
    return this.#folders.size
  }

  /** Watches an open folder. Returns its watch, `full` at the limit of the user, or undefined if it cannot be watched. */
  add(folder: number, owner: WatchedFolder): number | 'full' | undefined {
    const watch = inotify.watchFolder(this.#open(), folder)
    if (watch < 0) return watch === ENOSPC ? 'full' : undefined
    const owners = this.#folders.get(watch)
    if (owners) owners.add(owner)
    else this.#folders.set(watch, new Set([owner]))
    return watch
  }

  /** Opens a folder below the top. For one without permission, its parent is watched for that, too. */
  openLater(top: number, path: string): number | undefined {
    const open = openFolderAt(top, path)
    if (open !== undefined) return open
    const parent = openFolderAt(top, partsOf(path).parent)
    if (parent === undefined) return undefined
    inotify.watchFolder(this.#open(), parent, inotify.IN_ATTRIB)
    closeDescriptor(parent)
    return openFolderAt(top, path) // perhaps just now
  }

  remove(watch: number, owner: WatchedFolder): void {
    const owners = this.#folders.get(watch)
    if (!owners?.delete(owner) || owners.size > 0 || this.#fd === undefined) return
    this.#folders.delete(watch)
    inotify.removeWatch(this.#fd, watch)
  }

  #open(): number {
    if (this.#fd !== undefined) return this.#fd
    const fd = inotify.openInotify()
    this.#fd = fd
    this.#watched = this.#watcher.watch(fd, () => this.#drainInSlices())
    this.#watched.arm({ reading: true, writing: false })
    return fd
  }

  /** A box may make events all the time, and everything else of the daemon goes on meanwhile. */
  #drainInSlices(): void {
    if (this.drain(SLICE_MS)) this.#watched?.arm({ reading: true, writing: false })
    else setImmediate(() => this.#drainInSlices())
  }

  /** Tells what has happened until now. Returns false if there is more after this time. */
  drain(ms = Number.POSITIVE_INFINITY): boolean {
    if (this.#fd === undefined) return true
    for (const until = performance.now() + ms; performance.now() < until; ) {
      const event = this.#events[this.#next++]
      if (event) this.#tell(event)
      else {
        this.#events = inotify.readEvents(this.#fd)
        this.#next = 0
        if (!this.#events.length) return true
      }
    }
    return false
  }

  #tell(event: inotify.InotifyEvent): void {
    if (event.mask & inotify.IN_Q_OVERFLOW) this.#overflowed()
    // A copy: handling an event adds and removes watches.
    const owners = [...(this.#folders.get(event.watch) ?? [])]
    if (event.mask & inotify.IN_IGNORED) this.#folders.delete(event.watch)
    for (const owner of owners) {
      if (event.mask & inotify.IN_IGNORED) owner.lost()
      else owner.changed(event)
    }
  }
}
