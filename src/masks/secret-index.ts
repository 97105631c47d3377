import { IN_ISDIR, IN_MOVED_FROM, type InotifyEvent } from '../../ffi/inotify.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { type Entry, pathBytes, statAt } from '../../ffi/tree.ts'
import { inSlices } from '../core/slices.ts'
import type { Steps } from '../core/steps.ts'
import { COOPIGNORE, type CoopIgnore } from '../secrets/coopignore.ts'
import { type EntryKind, Folder, type SecretSettings } from '../secrets/decide.ts'
import type { Hidden, Identity, Reason } from './hidden.ts'
import { IgnoreFiles } from './ignore-files.ts'
import { type IndexListener, Node } from './node.ts'
import * as scan from './scan.ts'
import type { Watches } from './watches.ts'

const MAX_FOLDERS = 400_000 // some 200 bytes of memory each
const AT_ONCE_MS = 2
const MAX_INSIDE = 20_000 // files below hidden folders whose other names are looked for

export class SecretIndex {
  readonly path: string
  readonly #bytes: string
  readonly #settings: SecretSettings
  readonly #watches: Watches
  readonly #hidden = new Map<string, Hidden>()
  /** By inode number: files that are hidden under any name. */
  readonly #identities = new Map<number, Identity & { readonly path: string }>()
  readonly ignores: IgnoreFiles
  readonly listeners = new Set<IndexListener>()
  #root: Node | undefined
  #folders = 0
  #unwatched = 0
  #hasLinks = false
  #state = 'new' as 'new' | 'whole' | 'stale'
  #scanning: Promise<void> | undefined
  #needsLook = false
  /** A `.coopignore` with a mistake is left out, and found again by the next start. */
  #isLenient = false
  #mistaken = false

  constructor(path: string, settings: SecretSettings, watches: Watches) {
    this.path = path
    this.#bytes = pathBytes(path)
    this.#settings = settings
    this.#watches = watches
    this.ignores = new IgnoreFiles(path)
  }

  get hidden(): readonly Hidden[] {
    return [...this.#hidden.values()]
  }

  /** Folders that could not be watched: secrets that appear there later are not hidden. */
  get unwatched(): number {
    return this.#unwatched
  }

  /** Says that events were lost. */
  overflowed(): void {
    this.#state = 'stale'
    if (this.listeners.size) this.#lookAgain()
  }

  /** Resolves when everything is known. Raises E_CONFIG for a bad `.coopignore`, unless a box runs that may have written it. */
  async ready(runs: boolean): Promise<void> {
    await this.#scanning?.catch(() => {}) // it may have begun before the last change
    if (this.#state === 'whole' && this.#unwatched === 0) {
      this.#watches.drain()
      if (this.#state === 'whole' && this.ignores.areUnchanged()) return
    }
    this.#isLenient = runs
    try {
      await this.#scanOnce(this.listeners.size > 0)
    } catch (error) {
      if (this.listeners.size) this.#lookAgain() // for the boxes that run
      throw error
    } finally {
      if (!this.#scanning) this.#isLenient = false
    }
  }

  /** `keeps`: what running boxes do not see stays hidden from them. */
  #scanOnce(keeps: boolean): Promise<void> {
    const kept = keeps ? this.hidden : []
    this.#scanning ??= inSlices(this.#scanAll()).finally(() => {
      this.#scanning = undefined
      for (const one of kept) if (!this.#hidden.has(one.path)) this.#hidden.set(one.path, one)
    })
    return this.#scanning
  }

  /** Looks through everything again while boxes run: a box may cause this, so a mistake there stops nothing. */
  #lookAgain(): void {
    this.#needsLook = true
    if (this.#scanning) return
    this.#needsLook = false
    this.#isLenient = true
    const done = (): void => {
      this.#isLenient = false
      if (this.#needsLook) this.#lookAgain()
    }
    this.#scanOnce(true).then(done, (error) => {
      done()
      this.#failed(error)
    })
  }

  *#scanAll(): Steps<void> {
    this.forget()
    const top = scan.openTop(this.path)
    try {
      const root = new Node(this, '', Folder.top(this.#settings, undefined, this.ignores.used))
      this.#root = root
      yield* this.#scan(top, root)
      if (this.#hasLinks) yield* this.#findOtherNames(top)
      this.#state = this.#mistaken ? 'stale' : 'whole'
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
    this.ignores.clear()
    this.#hasLinks = false
    this.#mistaken = false
    this.#unwatched = 0
    this.#state = 'new'
  }

  #drop(node: Node): void {
    const left = [node]
    for (let one = left.pop(); one; one = left.pop()) {
      if (one.watch !== undefined) this.#watches.remove(one.watch, one)
      this.#folders--
      this.ignores.drop(one.path)
      left.push(...one.children.values())
    }
  }

  #ignoreAt(top: number, folder: string): CoopIgnore | undefined {
    try {
      return this.ignores.read(top, folder)
    } catch (error) {
      if (!this.#isLenient) throw error
      this.#mistaken = true
      this.#failed(error)
      return undefined
    }
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
      const entries = scan.entriesOf(at)
      if (entries.some(({ name }) => name === COOPIGNORE))
        node.folder = node.folder.with(this.#ignoreAt(top, node.path))
      for (const entry of entries) {
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
    const folder = node.folder.enter(scan.nameText(name))
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
        const [before, hadLinks] = [new Set(this.#hidden.keys()), this.#hasLinks]
        this.#hasLinks = false
        this.#hidden.delete(path)
        const ino = kind === 'folder' ? 0 : Number(statAt(at, name).ino)
        const child = this.#look(top, at, node, { name, type: 0, ino }, kind)
        this.#publish(this.hidden.filter((one) => one.path === path || !before.has(one.path)))
        if (child) this.#soon(this.#scanMoved(child))
        if (this.#hasLinks) this.#soon(this.#linksAgain())
        this.#hasLinks ||= hadLinks
      } finally {
        closeDescriptor(at)
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error // gone again
    } finally {
      closeDescriptor(top)
    }
  }

  /** A folder that has come with everything in it. */
  *#scanMoved(child: Node): Steps<void> {
    const top = scan.openTop(this.path)
    try {
      const left = [child]
      for (let node = left.pop(); node; node = left.pop()) {
        const before = new Set(this.#hidden.keys())
        left.push(...this.#scanFolder(top, node))
        this.#publish(this.hidden.filter((one) => !before.has(one.path)))
        yield
      }
    } finally {
      closeDescriptor(top)
    }
  }

  *#linksAgain(): Steps<void> {
    const top = scan.openTop(this.path)
    try {
      const before = new Set(this.#hidden.keys())
      yield* this.#findOtherNames(top)
      this.#publish(this.hidden.filter((one) => !before.has(one.path)))
    } finally {
      closeDescriptor(top)
    }
  }

  /** Begins at once; a large folder must not hold up everything else of the daemon. */
  #soon(steps: Steps<void>): void {
    const until = performance.now() + AT_ONCE_MS
    try {
      while (performance.now() < until) if (steps.next().done) return
    } catch (error) {
      return this.#failed(error)
    }
    inSlices(steps).catch((error) => this.#failed(error))
  }

  /** Later changes of a `.coopignore` only add: what is hidden stays so until the next start. */
  #readAgain(node: Node): void {
    for (const listener of this.listeners) listener.lock(node.below(COOPIGNORE))
    this.#lookAgain()
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
