/** A folder of an index, and who is told of its changes. */
import type { InotifyEvent } from '../../ffi/inotify.ts'
import type { Folder } from '../secrets/decide.ts'
import type { Hidden, Reason } from './hidden.ts'
import type { WatchedFolder } from './watches.ts'

/** A folder that is shown, and watched. */
export class Node implements WatchedFolder {
  readonly children = new Map<string, Node>()
  watch: number | undefined
  /** It is no part of the index any more. */
  dropped = false
  /** Everything in it is hidden. */
  hiddenBy: Reason | undefined
  folder: Folder
  constructor(
    readonly index: { changed(node: Node, event: InotifyEvent): void; lost(node: Node): void },
    readonly path: string,
    /** Without its own `.coopignore`. */
    readonly base: Folder,
  ) {
    this.folder = base
  }
  changed(event: InotifyEvent): void {
    this.index.changed(this, event)
  }
  lost(): void {
    this.watch = undefined
    this.index.lost(this)
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

/** The folder at a path below the top. */
export function nodeAt(top: Node | undefined, path: string): Node | undefined {
  let node = top
  for (const name of path ? path.split('/') : []) node = node?.children.get(name)
  return node
}
