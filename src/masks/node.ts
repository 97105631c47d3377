/** A folder of an index, and who is told of its changes. */
import type { InotifyEvent } from '../../ffi/inotify.ts'
import type { Folder } from '../secrets/decide.ts'
import type { Hidden } from './hidden.ts'
import type { WatchedFolder } from './watches.ts'

/** A folder that is shown, and watched. */
export class Node implements WatchedFolder {
  readonly children = new Map<string, Node>()
  watch: number | undefined
  constructor(
    readonly index: { changed(node: Node, event: InotifyEvent): void },
    readonly path: string,
    public folder: Folder,
  ) {}
  changed(event: InotifyEvent): void {
    this.index.changed(this, event)
  }
  lost(): void {
    this.watch = undefined
  }
  below(name: string): string {
    return this.path ? `${this.path}/${name}` : name
  }
}

/** Told of secrets that have appeared, or have been replaced, and of `.coopignore` files to lock. */
export interface IndexListener {
  hide(found: readonly Hidden[]): void
  lock(path: string): void
  failed(error: unknown): void
}
