/** The box's side of a copy: asks the daemon, and receives the descriptors that come beside its answers. */
import { receiveDescriptors } from '../../../ffi/descriptors.ts'
import { closeDescriptor } from '../../../ffi/pty.ts'
import { CoopError } from '../../core/errors.ts'
import type { Paths } from '../../core/paths.ts'
import type { CopyEntry, CopyFacts, Created, FileTime, NewEntry, Place } from '../../protocol/calls/copies.ts'
import type { Target } from '../../protocol/shapes/values.ts'
import { sendSocket } from '../descriptor-socket.ts'
import type { Session } from '../session.ts'

/** An entry with its descriptor when it is open; the receiver owns the descriptor. */
export type Held<T> = T & { readonly fd?: number }

export class BoxSide {
  readonly facts: CopyFacts
  readonly #session: Session
  readonly #socket: number

  private constructor(session: Session, socket: number, facts: CopyFacts) {
    this.#session = session
    this.#socket = socket
    this.facts = facts
  }

  static async begin(session: Session, paths: Paths, target: Target): Promise<BoxSide> {
    const { socket, token } = await sendSocket(paths)
    try {
      const facts = await session.call('copy.begin', { ...target, descriptors: token })
      return new BoxSide(session, socket, facts)
    } catch (error) {
      closeDescriptor(socket)
      throw error
    }
  }

  #hold<T>(entries: readonly T[], isOpen: (entry: T) => boolean): Held<T>[] {
    const count = entries.filter(isOpen).length
    const fds = count ? (receiveDescriptors(this.#socket, 1)?.fds ?? []) : []
    if (fds.length !== count) {
      fds.forEach(closeDescriptor)
      throw new CoopError('E_FAILED', 'not all descriptors of the copy arrived', {
        hint: 'raise the limit of open files: ulimit -n NUMBER',
      })
    }
    let at = 0
    return entries.map((entry) => {
      const fd = isOpen(entry) ? fds[at++] : undefined
      return { ...entry, ...(fd === undefined ? {} : { fd }) }
    })
  }

  look(path: string, follow: boolean): Promise<CopyEntry> {
    return this.#session.call('copy.look', { path, follow })
  }

  async open(folder: Place, names: readonly string[], follow = false): Promise<Held<CopyEntry>[]> {
    const entries = await this.#session.call('copy.open', { folder, names, follow })
    return this.#hold(entries, (entry) => entry.open)
  }

  async list(folder: Place): Promise<Held<CopyEntry> | undefined> {
    const entries = await this.#session.call('copy.list', { folder })
    return this.#hold(entries, (entry) => entry.open)[0]
  }

  async create(folder: Place, entries: readonly NewEntry[]): Promise<Held<Created>[]> {
    const created = await this.#session.call('copy.create', { folder, entries })
    return this.#hold(created, (entry) => entry.file !== undefined)
  }

  finish(files: readonly number[]): Promise<readonly (string | null)[]> {
    return this.#session.call('copy.finish', { files })
  }

  settle(folder: Place, mode: number, mtime: FileTime): Promise<string | null> {
    return this.#session.call('copy.settle', { folder, mode, mtime })
  }

  /** Ends the copy; the daemon removes half-made files. */
  async end(): Promise<void> {
    await this.#session.call('copy.end', {}).catch(() => {}) // a new daemon knows nothing of a lost one's copy
    closeDescriptor(this.#socket)
    this.#session.close()
  }
}
