/**
 * Knows where the secrets below one folder of the host are, and learns at once of new ones (inotify). Shared by all
 * boxes that show the folder with the same settings. It holds folders and secrets, not the other files.
 */
import { IN_ATTRIB, IN_ISDIR, IN_MOVED_FROM, type InotifyEvent } from '../../ffi/inotify.ts'
import { SysError } from '../../ffi/libc.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { type Entry, openBelow, pathBytes, statAt } from '../../ffi/tree.ts'
import { inSlices } from '../core/slices.ts'
import type { Steps } from '../core/steps.ts'
import { COOPIGNORE, type CoopIgnore } from '../secrets/coopignore.ts'
import { type EntryKind, Folder, type SecretSettings } from '../secrets/decide.ts'
import type { Hidden, Reason } from './hidden.ts'
import { Identities } from './identities.ts'
import { IgnoreFiles } from './ignore-files.ts'
import { LinkTargets } from './link-targets.ts'
import { type IndexListener, Node, nodeAt } from './node.ts'
import * as scan from './scan.ts'
import type { Watches } from './watches.ts'

const MAX_FOLDERS = 400_000 // some 200 bytes of memory each
const AT_ONCE_MS = 2
const MAX_INSIDE = 100_000 // hidden names with which files in hidden folders are noted one by one

export class SecretIndex {
  readonly path: string
  readonly #settings: SecretSettings
  readonly #watches: Watches
  readonly #hidden = new Map<string, Hidden>()
  readonly #identities = new Identities()
  readonly #links: LinkTargets
  readonly ignores: IgnoreFiles
  readonly listeners = new Set<IndexListener>()
  #root: Node | undefined
  /** Found, but not told yet. */
  #fresh: Hidden[] = []
  #pin: number | undefined
  #folders = 0
  #unwatched = 0
  #state = 'new' as 'new' | 'whole' | 'stale'
  #scanning: Promise<void> | undefined
  #needsLook = false
  /** Of a `.coopignore`. It stops the next start, but a box may have made it, so it stops nothing that runs. */
  #mistake: unknown

  constructor(path: string, settings: SecretSettings, watches: Watches) {
    this.path = path
    this.#links = new LinkTargets(pathBytes(path))
    this.#settings = settings
    this.#watches = watches
    this.ignores = new IgnoreFiles(path)
  }

  get hidden(): Hidden[] {
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

  /** Resolves when everything is known. Raises E_CONFIG for a bad `.coopignore`, unless a box `runs` that may have written it. */
  async ready(runs: boolean): Promise<void> {
    await this.#scanning?.catch(() => {}) // it may have begun before the last change
    if (this.#state === 'whole' && this.#unwatched === 0) {
      this.#watches.drain()
      if (this.#state === 'whole' && this.ignores.areUnchanged()) return
    }
    await this.#scanOnce(this.listeners.size > 0)
    if (this.#mistake && !runs) throw this.#mistake
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

  /** Looks through everything again while boxes run. */
  #lookAgain(): void {
    this.#needsLook = true
    if (this.#scanning) return
    this.#needsLook = false
    void this.#scanOnce(true)
      .catch((error) => this.#failed(error))
      .finally(() => this.#needsLook && this.#lookAgain())
  }

  /** The folder itself, whatever its path becomes: a box of a folder above may rename it. */
  openTop(): number {
    this.#pin ??= scan.openTop(this.path)
    return openBelow(this.#pin, '')
  }

  *#scanAll(): Steps<void> {
    this.forget()
    const top = this.openTop()
    try {
      const root = new Node(this, '', Folder.top(this.#settings, undefined, this.ignores.used))
      this.#root = root
      this.#folders++
      const left = [root]
      for (let node = left.pop(); node; node = left.pop()) {
        left.push(...this.#scanFolder(top, node))
        yield
      }
      if (this.#identities.hasLinks) yield* this.#findOtherNames(top)
      this.#state = this.#mistake ? 'stale' : 'whole'
      this.#fresh = this.hidden
      this.#publish()
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
    this.#links.clear()
    this.#mistake = undefined
    this.#unwatched = 0
    this.#state = 'new'
  }

  /** Drops everything for good. */
  close(): void {
    this.forget()
    if (this.#pin !== undefined) closeDescriptor(this.#pin)
    this.#pin = undefined
  }

  #drop(node: Node): void {
    const left = [node]
    for (let one = left.pop(); one; one = left.pop()) {
      if (one.watch !== undefined) this.#watches.remove(one.watch, one)
      one.dropped = true
      this.#folders--
      this.ignores.drop(one.path)
      left.push(...one.children.values())
    }
  }

  #ignoreAt(top: number, folder: string): CoopIgnore | undefined {
    try {
      return this.ignores.read(top, folder)
    } catch (error) {
      this.#mistake ??= error
      this.#failed(error)
      return undefined
    }
  }

  #scanFolder(top: number, node: Node): Node[] {
    if (node.dropped) return []
    const at = this.#watches.openLater(top, node.path)
    if (at === undefined) return []
    try {
      this.#watch(at, node) // before it is listed, so that nothing is missed in between
      const found: Node[] = []
      const entries = scan.entriesOf(at)
      if (!node.hiddenBy && entries.some(({ name }) => name === COOPIGNORE))
        node.folder = node.base.with(this.#ignoreAt(top, node.path))
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
    const watch = this.#folders > MAX_FOLDERS ? 'full' : this.#watches.add(at, node)
    if (typeof watch === 'number') node.watch = watch
    else this.#unwatched++
  }

  /** Notes what a name is; returns a shown folder to look through. */
  #look(top: number, at: number, node: Node, { name, ino }: Entry, kind: EntryKind): Node | undefined {
    const path = node.below(name)
    const rule = node.hiddenBy ?? scan.judge(node.folder, this.path, path, name, kind)
    const isLinked = kind === 'folder' ? this.#hidden.get(path)?.reason : undefined
    const reason = rule ?? isLinked ?? this.#identities.reasonFor(at, name, ino)
    if (reason) {
      if (kind === 'link') this.#hideTarget(top, at, path)
      else this.#hide(at, path, name, kind === 'folder', reason, !!node.hiddenBy)
    }
    if (kind !== 'folder') return undefined
    const folder = node.folder.enter(scan.nameText(name))
    const child = new Node(this, path, folder)
    this.#folders++
    child.hiddenBy = reason
    const old = node.children.get(name)
    if (old) this.#drop(old)
    node.children.set(name, child)
    return child
  }

  #hide(at: number, path: string, name: string, folder: boolean, reason: Reason, within = false): void {
    if (within && this.#hidden.size > MAX_INSIDE) return
    this.#add({ path, folder, reason, within })
    if (!folder) this.#identities.note(at, name, path)
  }

  #add(one: Hidden): void {
    this.#hidden.set(one.path, one)
    this.#fresh.push(one)
  }

  #hideTarget(top: number, at: number, path: string): void {
    const target = this.#links.follow(top, at, path)
    if (!target) return
    const folder = target.endsWith('/')
    const real = folder ? target.slice(0, -1) : target
    const { parent, name } = scan.partsOf(real)
    if (this.#hidden.has(real) || [...scan.above(real)].some((one) => this.#hidden.get(one)?.folder)) return
    const within = scan.openFolderAt(top, parent)
    if (within === undefined) return
    const reason: Reason = { by: 'link', path }
    this.#hide(within, real, name, folder, reason)
    const node = folder ? nodeAt(this.#root, real) : undefined
    if (node) node.hiddenBy = reason
    if (node) this.#soon(this.#scanMoved(node))
    closeDescriptor(within)
  }

  /** A second look at everything, because a hidden file has more names than one. */
  *#findOtherNames(top: number): Steps<void> {
    const left = this.#root ? [this.#root] : []
    for (let node = left.pop(); node; node = left.pop()) {
      const at = scan.openFolderAt(top, node.path)
      if (at !== undefined) {
        for (const { name, ino } of scan.entriesOf(at)) {
          const path = node.below(name)
          const reason =
            this.#identities.has(ino) && !this.#hidden.has(path) && this.#identities.reasonFor(at, name, ino)
          if (reason) this.#add({ path, folder: false, reason })
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
      const isFolder = (mask & IN_ISDIR) !== 0
      // A name that went may be there all the same: two can be exchanged (renameat2).
      if (mask & IN_MOVED_FROM && !this.#gone(node, name)) return
      if (mask & IN_ATTRIB && (!isFolder || node.children.get(name)?.watch !== undefined)) return
      this.#came(node, name, isFolder || (mask & IN_MOVED_FROM) !== 0)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Whether the name meant something. */
  #gone(node: Node, name: string): boolean {
    const path = node.below(name)
    const wasHidden = this.#hidden.delete(path)
    const child = node.children.get(name)
    if (!child) return wasHidden
    node.children.delete(name)
    this.#drop(child)
    for (const one of this.#hidden.keys()) if (one.startsWith(`${path}/`)) this.#hidden.delete(one)
    return true
  }

  /** A box says that a hidden name is not there; a program may make and remove many. */
  gone(path: string): void {
    if (this.#pin !== undefined && !scan.isThere(this.#pin, path)) this.#hidden.delete(path)
  }

  /** A folder was removed. */
  lost(node: Node): void {
    const { parent: path, name } = scan.partsOf(node.path)
    const parent = name ? nodeAt(this.#root, path) : undefined
    if (parent?.children.get(name) === node) this.#gone(parent, name)
  }

  #came(node: Node, name: string, mayBeFolder: boolean): void {
    const path = node.below(name)
    // Most new files are none of ours, and a build makes thousands.
    const isKnown = mayBeFolder || this.#identities.size > 0 || name === COOPIGNORE || node.hiddenBy
    if (!isKnown && !this.#hidden.has(path) && !this.#links.has(path))
      if (!scan.judge(node.folder, this.path, path, name, 'link')) return
    const top = this.openTop()
    try {
      const at = scan.openFolderAt(top, node.path)
      if (at === undefined) return
      try {
        const kind = scan.kindOf(at, { name, type: 0, ino: 0 })
        if (kind === undefined) return
        if (name === COOPIGNORE && !node.hiddenBy) return this.#readAgain(node)
        const hadLinks = this.#identities.hasLinks
        this.#identities.hasLinks = false
        this.#hidden.delete(path)
        const ino = kind === 'folder' ? 0 : Number(statAt(at, name).ino)
        const child = this.#look(top, at, node, { name, type: 0, ino }, kind)
        this.#followAgain(top, path)
        this.#publish()
        if (child) this.#soon(this.#scanMoved(child))
        if (this.#identities.hasLinks) this.#soon(this.#linksAgain())
        this.#identities.hasLinks ||= hadLinks
      } finally {
        closeDescriptor(at)
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error // gone again
    } finally {
      closeDescriptor(top)
    }
  }

  /** Hides what links of secrets lead to, when something has appeared on their way. */
  #followAgain(top: number, changed: string): void {
    for (const link of this.#links.isEmpty ? [] : this.#links.to(changed)) {
      const at = scan.openFolderAt(top, scan.partsOf(link).parent)
      if (at === undefined) continue
      this.#hideTarget(top, at, link)
      closeDescriptor(at)
    }
  }

  /** A folder that has come with everything in it. */
  *#scanMoved(child: Node): Steps<void> {
    const top = this.openTop()
    try {
      const left = [child]
      for (let node = left.pop(); node; node = left.pop()) {
        left.push(...this.#scanFolder(top, node))
        this.#followAgain(top, node.path)
        this.#publish()
        yield
      }
    } finally {
      closeDescriptor(top)
    }
  }

  *#linksAgain(): Steps<void> {
    const top = this.openTop()
    try {
      yield* this.#findOtherNames(top)
      this.#publish()
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
    this.#soon(this.#scanMoved(node)) // it says nothing about other folders
  }

  #publish(): void {
    const found = this.#fresh
    this.#fresh = []
    if (found.length) for (const listener of this.listeners) listener.hide(found)
  }

  #failed(error: unknown): void {
    this.#state = 'stale'
    for (const listener of this.listeners) listener.failed(error)
  }
}
