/**
 * `coop cp`, the daemon's part: it has init find, open and make files, and hands their descriptors to the client,
 * which moves the bytes. So a copy of any size costs the daemon nothing, and a path of the host is only ever
 * resolved by who was given it.
 */
import { sendDescriptors } from '../../ffi/descriptors.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import type { Box } from '../box/box.ts'
import { CoopError } from '../core/errors.ts'
import type { CopyCall, CopyFacts, Created, NewEntry, Place } from '../protocol/copy-messages.ts'
import type { Opened, Unfinished } from '../trees/box-files.ts'
import type { Services } from './calls.ts'
import type { Activity, Connection } from './connection.ts'

const MAX_UNFINISHED = 1024 // a client has at most one call's worth of files in hand

/** The copy of one client. */
class Copying implements Activity {
  readonly #box: Box
  readonly #socket: number
  readonly #unfinished = new Map<number, Unfinished>()
  #next = 0
  #last: Promise<void> = Promise.resolve()

  constructor(box: Box, socket: number) {
    this.#box = box
    this.#socket = socket
  }

  /** Descriptors first: they are there when the client reads the answer. */
  async #give<T>(opened: Promise<Opened<T>>): Promise<readonly T[]> {
    const { entries, fds } = await opened
    try {
      if (fds.length) sendDescriptors(this.#socket, new Uint8Array(1), fds)
    } finally {
      fds.forEach(closeDescriptor)
    }
    return entries
  }

  async #create(folder: Place, entries: readonly NewEntry[]): Promise<readonly Created[]> {
    if (this.#unfinished.size + entries.length > MAX_UNFINISHED)
      throw new CoopError('E_FAILED', 'too many files are being copied at once')
    const planned = entries.map(({ name }) => ({
      file: this.#next++,
      // A name that nobody in the box can have prepared something under.
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

  async #finish(files: readonly number[]): Promise<readonly (string | null)[]> {
    const known = files.map((file) => {
      const unfinished = this.#unfinished.get(file)
      if (!unfinished) throw new CoopError('E_FAILED', 'a file is to be finished that was not begun')
      return unfinished
    })
    const results = await this.#box.files.finish(known)
    for (const file of files) this.#unfinished.delete(file)
    return results
  }

  /** Leave nothing half-made. */
  async #end(): Promise<void> {
    const left = [...this.#unfinished.values()]
    this.#unfinished.clear()
    for (let at = 0; at < left.length; at += 100) await this.#box.files.remove(left.slice(at, at + 100))
  }

  /** The client is gone. What it asked for last may still be under way, and make files that must go, too. */
  abandon(): void {
    void this.#after(() => this.#end())
      .catch(() => {}) // the box is gone, and its files with it
      .finally(() => closeDescriptor(this.#socket))
  }

  /** One after the other: answers and descriptors then come in one order. */
  #after<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.then(
      () => {},
      () => {},
    )
    return result
  }

  call(call: Exclude<CopyCall, { do: 'copy.begin' }>): Promise<unknown> {
    return this.#after(() => this.#do(call))
  }

  #do(call: Exclude<CopyCall, { do: 'copy.begin' }>): Promise<unknown> {
    const { files } = this.#box
    switch (call.do) {
      case 'copy.look':
        return files.look(call.path, call.follow)
      case 'copy.open':
        return this.#give(files.open(call.folder, call.names, call.follow))
      case 'copy.list':
        return this.#give(files.list(call.folder))
      case 'copy.create':
        return this.#create(call.folder, call.entries)
      case 'copy.finish':
        return this.#finish(call.files)
      case 'copy.settle':
        return files.settle(call.folder, call.mode, call.mtime)
      case 'copy.end':
        return this.#end()
    }
  }
}

/** What the client has to know before it copies. */
function facts({ registry }: Services, box: Box): CopyFacts {
  const { plan } = box.manifest
  // Of every box: a link that another one has planted leads just as far.
  const writable = registry.boxes.flatMap(({ manifest }) =>
    manifest.plan.steps.flatMap((step) => (step.do === 'bind' && !step.readonly ? [step.source.path] : [])),
  )
  return {
    workspace: plan.workspace.target,
    home: plan.user.home,
    setuidFiles: plan.confinement.setuidFiles,
    writable: [...new Set([...writable, ...registry.unknown.flatMap(({ workspace }) => workspace ?? [])])],
  }
}

/** What each call of a copy does; it begins with `copy.begin` and ends with the connection. */
export async function copyCall(services: Services, connection: Connection, call: CopyCall): Promise<unknown> {
  if (call.do !== 'copy.begin') {
    const { activity } = connection
    if (activity instanceof Copying) return activity.call(call)
    throw new CoopError('E_FAILED', 'no copy has begun on this connection')
  }
  const socket = services.desk.takeSocket(call.descriptors)
  if (socket === undefined)
    throw new CoopError('E_FAILED', 'the socket for the copy did not arrive', { hint: 'try again' })
  try {
    const box = services.registry.get(call.name)
    const told = facts(services, box)
    if (connection.activity) throw new CoopError('E_FAILED', 'this connection is busy')
    connection.activity = new Copying(box, socket)
    return told
  } catch (error) {
    closeDescriptor(socket)
    throw error
  }
}
