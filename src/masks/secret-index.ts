/**
 * Knows where the secrets below one folder of the host are, and learns at once of new ones (inotify). Shared by all
 * boxes that show the folder with the same settings. It holds folders and secrets, not the other files.
 */
import * as k from '../../ffi/abi/constants.ts'
import { IN_ISDIR, IN_MOVED_FROM, type InotifyEvent } from '../../ffi/inotify.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { type Entry, pathBytes, statAt } from '../../ffi/tree.ts'
import { CoopError } from '../core/errors.ts'
import { finish, type Steps } from '../core/steps.ts'
import { COOPIGNORE, type CoopIgnore } from '../secrets/coopignore.ts'
import { type EntryKind, Folder, type SecretSettings } from '../secrets/decide.ts'
import type { Pattern } from '../secrets/gitignore.ts'
import type { Hidden, Identity, Reason } from './hidden.ts'
import * as scan from './scan.ts'
import type { WatchedFolder, Watches } from './watches.ts'

const MAX_FOLDERS = 400_000 // some 200 bytes of memory each
const MAX_INSIDE = 20_000 // files below hidden folders whose other names are looked for

/** A folder that is shown, and watched. */
class Node implements WatchedFolder {
  readonly children = new Map<string, Node>()
  watch: number | undefined
  constructor(
    readonly index: SecretIndex,
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

export class SecretIndex {
  readonly path: string
  readonly #bytes: string
  readonly #settings: SecretSettings
  readonly #watches: Watches
  readonly #hidden = new Map<string, Hidden>()
  /** By inode number: files that are hidden under any name. */
  readonly #identities = new Map<number, Identity & { readonly path: string }>()
  /** The `.coopignore` files by folder. */
  readonly #ignores = new Map<string, { readonly parsed: CoopIgnore; readonly state: string }>()
  readonly #used = new Set<Pattern>()
  readonly listeners = new Set<IndexListener>()
  #root: Node | undefined
  #folders = 0
  #unwatched = 0
  #hasLinks = false
  #state = 'new' as 'new' | 'whole' | 'stale'
  #scanning: Promise<void> | undefined

  constructor(path: string, settings: SecretSettings, watches: Watches) {
    this.path = path
    this.#bytes = pathBytes(path)
    this.#settings = settings
    this.#watches = watches
  }

  get hidden(): readonly Hidden[] {
    return [...this.#hidden.values()]
  }

  /** Folders of `.coopignore` files. */
  get locked(): readonly string[] {
    return [...this.#ignores.keys()].map((folder) => (folder ? `${folder}/${COOPIGNORE}` : COOPIGNORE))
  }

  /** Folders that could not be watched: secrets that appear there later are not hidden. */
  get unwatched(): number {
    return this.#unwatched
  }

  /** Patterns that match nothing, as `FILE:LINE PATTERN`. */
  get unused(): readonly string[] {
    return [...this.#ignores].flatMap(([folder, { parsed }]) =>
      parsed.lines
        .filter((line) => !this.#used.has(line))
        .map(({ line, text }) => `${scan.nameText(folder ? `${folder}/` : '')}${COOPIGNORE}:${line} ${text}`),
    )
  }

  /** Says that events were lost. */
  overflowed(): void {
    if (this.#state === 'whole') this.#state = 'stale'
    if (this.listeners.size)
      void this.ready((steps) => Promise.resolve(finish(steps))).catch((error) => this.#failed(error))
  }

  /** Resolves when everything is known. `run` runs the work, in slices. Raises E_CONFIG for a bad `.coopignore`. */
  async ready(run: (steps: Steps<void>) => Promise<void>): Promise<void> {
    if (this.#scanning) return this.#scanning
    if (this.#state === 'whole' && this.#unwatched === 0) {
      this.#watches.drain()
      if (this.#state === 'whole' && this.#isUnchanged()) return
    }
    this.#scanning = run(this.#scanAll()).finally(() => {
      this.#scanning = undefined
    })
    return this.#scanning
  }

  /** The `.coopignore` files may have been written in place, which the watches do not tell. */
  #isUnchanged(): boolean {
    const top = scan.openTop(this.path)
    try {
      return [...this.#ignores].every(([folder, { state }]) => this.#ignoreState(top, folder) === state)
    } finally {
      closeDescriptor(top)
    }
  }

  #ignoreState(top: number, folder: string): string {
    const at = scan.openFolderAt(top, folder)
    if (at === undefined) return ''
    try {
      const { type, ino, mtime, size } = statAt(at, COOPIGNORE)
      return `${type === k.S_IFREG ? 'file' : 'other'} ${ino} ${mtime.seconds}.${mtime.nanoseconds} ${size}`
    } catch (error) {
      if (error instanceof SysError) return ''
      throw error
    } finally {
      closeDescriptor(at)
    }
  }

  *#scanAll(): Steps<void> {
    this.forget()
    const top = scan.openTop(this.path)
    try {
      const root = new Node(this, '', Folder.top(this.#settings, this.#ignoreAt(top, ''), this.#used))
      this.#root = root
      yield* this.#scan(top, root)
      if (this.#hasLinks) yield* this.#findOtherNames(top)
      this.#state = 'whole'
      this.#publish(this.hidden)
    } finally {
      closeDescriptor(top)
    }
  }

  /** Drops everything, watches included. */
  forget(): void {
    if (this.#root) this.#drop(this.#root)
    this.#root = undefined
    this.#hidden.clear()
    this.#identities.clear()
    this.#ignores.clear()
    this.#used.clear()
    this.#hasLinks = false
    this.#unwatched = 0
    this.#state = 'new'
  }

  #drop(node: Node): void {
    const left = [node]
    for (let one = left.pop(); one; one = left.pop()) {
      if (one.watch !== undefined) this.#watches.remove(one.watch, one)
      this.#folders--
      this.#ignores.delete(one.path)
      left.push(...one.children.values())
    }
  }

  #ignoreAt(top: number, folder: string): CoopIgnore | undefined {
    const state = this.#ignoreState(top, folder)
    if (!state) return undefined
    const parsed = scan.coopIgnoreOf(this.path, folder, state.startsWith('file '))
    this.#ignores.set(folder, { parsed, state })
    return parsed
  }

  /** Looks through a folder and all below it. */
  *#scan(top: number, start: Node): Steps<void> {
    const left = [start]
    for (let node = left.pop(); node; node = left.pop()) {
      left.push(...this.#scanFolder(top, node))
      yield
    }
  }

  #scanFolder(top: number, node: Node): Node[] {
    const at = scan.openFolderAt(top, node.path)
    if (at === undefined) return []
    try {
      this.#watch(at, node) // before it is listed, so that nothing is missed in between
      const found: Node[] = []
      for (const entry of scan.entriesOf(at)) {
        const kind = scan.kindOf(at, entry)
        if (kind === undefined) continue
        const child = this.#look(top, at, node, entry, kind)
        if (child) found.push(child)
      }
      return found
    } finally {
      closeDescriptor(at)
    }
  }

  #watch(at: number, node: Node): void {
    this.#folders++
    const watch = this.#folders > MAX_FOLDERS ? 'full' : this.#watches.add(at, node)
    if (typeof watch === 'number') node.watch = watch
    else this.#unwatched++
  }

  /** Notes what a name is; returns a shown folder to look through. */
  #look(top: number, at: number, node: Node, { name, ino }: Entry, kind: EntryKind): Node | undefined {
    const path = node.below(name)
    const rule = scan.judge(node.folder, this.path, path, name, kind)
    const reason = rule ?? this.#sameFile(at, name, ino)
    if (reason) {
      if (kind === 'link') this.#hideTarget(top, at, path)
      else this.#hide(top, at, path, name, kind === 'folder', reason)
      return undefined
    }
    if (kind !== 'folder') return undefined
    const folder = node.folder.enter(scan.nameText(name), this.#ignoreAt(top, path))
    const child = new Node(this, path, folder)
    const old = node.children.get(name)
    if (old) this.#drop(old)
    node.children.set(name, child)
    return child
  }

  #hide(top: number, at: number, path: string, name: string, folder: boolean, reason: Reason): void {
    this.#hidden.set(path, { path, folder, reason })
    if (folder) this.#noteInside(top, path)
    else this.#note(at, name, path)
  }

  #note(at: number, name: string, path: string): void {
    try {
      const { ino, birth, nlink } = statAt(at, name)
      this.#identities.set(Number(ino), { ino: Number(ino), birth: `${birth}`, path })
      if (nlink > 1) this.#hasLinks = true
    } catch (error) {
      if (!(error instanceof SysError)) throw error
    }
  }

  /** Files in a hidden folder may have other names outside of it, or get one. */
  #noteInside(top: number, path: string): void {
    const left = [path]
    let files = 0
    for (let folder = left.pop(); folder !== undefined && files < MAX_INSIDE; folder = left.pop()) {
      const at = scan.openFolderAt(top, folder)
      if (at === undefined) continue
      for (const entry of scan.entriesOf(at)) {
        const kind = scan.kindOf(at, entry)
        if (kind === 'folder') left.push(`${folder}/${entry.name}`)
        else if (kind === 'file' && files++ < MAX_INSIDE)
          this.#note(at, entry.name, `${folder}/${entry.name}`)
      }
      closeDescriptor(at)
    }
  }

  #hideTarget(top: number, at: number, path: string): void {
    const target = scan.linkTarget(top, this.#bytes, at, path)
    if (!target) return
    const folder = target.endsWith('/')
    const real = folder ? target.slice(0, -1) : target
    const parent = real.slice(0, Math.max(0, real.lastIndexOf('/')))
    if (this.#hidden.has(real) || [...parents(real)].some((one) => this.#hidden.get(one)?.folder)) return
    const within = scan.openFolderAt(top, parent)
    if (within === undefined) return
    this.#hide(top, within, real, real.slice(parent ? parent.length + 1 : 0), folder, { by: 'link', path })
    closeDescriptor(within)
  }

  #sameFile(at: number, name: string, ino: number): Reason | undefined {
    const known = this.#identities.get(ino)
    if (!known) return undefined
    try {
      const { birth } = statAt(at, name)
      if (`${birth}` === known.birth) return { by: 'same-file', path: known.path }
    } catch (error) {
      if (!(error instanceof SysError)) throw error
    }
    return undefined
  }

  /** A second look at everything, because a hidden file has more names than one. */
  *#findOtherNames(top: number): Steps<void> {
    const left = this.#root ? [this.#root] : []
    for (let node = left.pop(); node; node = left.pop()) {
      const at = scan.openFolderAt(top, node.path)
      if (at !== undefined) {
        for (const { name, ino } of scan.entriesOf(at)) {
          const path = node.below(name)
          const reason = this.#identities.has(ino) && !this.#hidden.has(path) && this.#sameFile(at, name, ino)
          if (reason) this.#hidden.set(path, { path, folder: false, reason })
        }
        closeDescriptor(at)
      }
      left.push(...node.children.values())
      yield
    }
  }

  /** A name in a watched folder has appeared, has been replaced, or has gone to another place. */
  changed(node: Node, { mask, name }: InotifyEvent): void {
    try {
      if (mask & IN_MOVED_FROM) this.#gone(node, name)
      else this.#came(node, name, (mask & IN_ISDIR) !== 0)
    } catch (error) {
      this.#failed(error)
    }
  }

  #gone(node: Node, name: string): void {
    const path = node.below(name)
    this.#hidden.delete(path)
    const child = node.children.get(name)
    if (!child) return
    node.children.delete(name)
    this.#drop(child)
    for (const one of this.#hidden.keys()) if (one.startsWith(`${path}/`)) this.#hidden.delete(one)
  }

  #came(node: Node, name: string, isFolder: boolean): void {
    const path = node.below(name)
    // Most new files are none of ours, and a build makes thousands.
    if (!isFolder && !this.#identities.size && name !== COOPIGNORE && !this.#hidden.has(path))
      if (!scan.judge(node.folder, this.path, path, name, 'link')) return
    const top = scan.openTop(this.path)
    try {
      const at = scan.openFolderAt(top, node.path)
      if (at === undefined) return
      try {
        const kind = isFolder ? 'folder' : scan.kindOf(at, { name, type: 0, ino: 0 })
        if (kind === undefined) return
        if (name === COOPIGNORE) return this.#readAgain(node)
        const before = new Set(this.#hidden.keys())
        this.#hidden.delete(path)
        const ino = kind === 'folder' ? 0 : Number(statAt(at, name).ino)
        const child = this.#look(top, at, node, { name, type: 0, ino }, kind)
        if (child) finish(this.#scan(top, child))
        this.#publish([...this.#hidden.values()].filter((one) => one.path === path || !before.has(one.path)))
      } finally {
        closeDescriptor(at)
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error // gone again
    } finally {
      closeDescriptor(top)
    }
  }

  /** Later changes of a `.coopignore` only add: what is hidden stays so until the next start. */
  #readAgain(node: Node): void {
    const kept = this.hidden
    for (const listener of this.listeners) listener.lock(node.below(COOPIGNORE))
    finish(this.#scanAll())
    for (const one of kept) if (!this.#hidden.has(one.path)) this.#hidden.set(one.path, one)
  }

  #publish(found: readonly Hidden[]): void {
    if (found.length) for (const listener of this.listeners) listener.hide(found)
  }

  #failed(error: unknown): void {
    this.#state = 'stale'
    for (const listener of this.listeners) listener.failed(error)
  }
}

function* parents(path: string): Generator<string> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) yield path.slice(0, at)
}

/** E_ISOLATION for folders that cannot be watched. */
export const unwatchedError = (path: string, count: number): CoopError =>
  new CoopError('E_ISOLATION', unwatchedText(path, count), {
    hint: 'raise the limit: sudo sysctl fs.inotify.max_user_watches=1048576; or remove strict from [secrets]',
  })

export const unwatchedText = (path: string, count: number): string =>
  `${count} folders of ${path} cannot be watched (fs.inotify.max_user_watches), so secrets that appear in them while a box runs are not hidden there`
