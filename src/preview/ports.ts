/** The ports of one box: which listening sockets are its own, by the descriptors of its processes. */
import { Batch } from '../../ffi/batch.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { askListeners, DIAG_SOCKET, type Listener, listenersByFile, ownListeners } from './listeners.ts'
import { type Holder, namesOf, type Run, stillHeld } from './owners.ts'
import { HolderSearch } from './search.ts'

const SEARCH_AGAIN_MS = [1_000, 3_000, 10_000] as const // a process may have been missed while it forked
const LOOK_MS = 500 // for a listing
const PROVE_MS = 5_000 // for a connection; a box with thousands of busy processes may take longer to look through
const MAX_PORTS = 100 // of a box, in a listing

/** What this needs of a box. */
export interface PortBox {
  readonly name: string
  readonly running: boolean
  readonly manifest: {
    readonly created: number
    readonly init: { readonly pid: number } | undefined
    readonly plan: { readonly network: string }
  }
  readonly processes: { readonly run: Run }
}

export interface Found {
  readonly port: number
  /** The name of the process that listens, which the box chose. */
  readonly process?: string
}

interface Known {
  readonly holder: Holder | undefined
  readonly searches: number
  /** When a socket without a holder is looked for again (performance.now). */
  readonly next: number
}

/** Whether all listening sockets of the box's network are its own. */
export const hasOwnNetwork = (box: PortBox): boolean => box.manifest.plan.network !== 'host'

/** Knows where a box answers. */
export interface Prover {
  /** Where to connect to the box's port; undefined if the box does not listen there. */
  prove(port: number): Promise<Proof | undefined>
}

/** Waits for work, but not longer. Rejects if the work fails meanwhile. */
async function within(work: Promise<void>, milliseconds: number): Promise<void> {
  work.catch(() => {})
  await Promise.race([work, Bun.sleep(milliseconds)])
}

export class BoxPorts implements Prover {
  readonly #box: PortBox
  readonly #known = new Map<number, Known>()
  readonly #run: Run
  readonly #search: HolderSearch
  #looking: Promise<Found[]> | undefined

  constructor(box: PortBox) {
    this.#box = box
    this.#run = (batch) => box.processes.run(batch)
    this.#search = new HolderSearch(this.#run)
  }

  /** The box's ports now, in order. Empty when the box does not run. */
  look(): Promise<Found[]> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** The sockets that listen in the box's network. */
  async #listeners(): Promise<Listener[]> {
    const { init } = this.#box.manifest
    if (!this.#box.running || !init) return []
    if (!hasOwnNetwork(this.#box)) return ownListeners()
    const batch = new Batch()
    batch.call('socket', DIAG_SOCKET, { send: true, scoped: true, mayFail: true })
    const [socket] = (await this.#run(batch)).fds
    if (socket === undefined) return listenersByFile(init.pid)
    try {
      return askListeners(socket) ?? listenersByFile(init.pid)
    } finally {
      closeDescriptor(socket)
    }
  }

  async #look(): Promise<Found[]> {
    try {
      const listeners = await this.#listeners()
      if (!listeners.length) return []
      const holders = await this.#holders(listeners, performance.now())
      const ports = Map.groupBy(listeners, ({ port }) => port)
      const reached = [...ports].filter(([, atPort]) => this.#reach(atPort, holders)).slice(0, MAX_PORTS)
      const pidOf = new Map<number, number>()
      for (const [port, atPort] of reached)
        for (const { inode } of atPort) {
          const holder = holders.get(inode)
          if (holder) pidOf.set(port, holder.pid)
        }
      const names = await namesOf(this.#run, [...new Set(pidOf.values())])
      return reached
        .map(([port]) => {
          const process = names.get(pidOf.get(port) ?? -1)
          return process === undefined ? { port } : { port, process }
        })
        .sort((one, other) => one.port - other.port)
    } catch {
      return [] // the box is ending
    }
  }

  /**
   * The holders of these sockets. Each one known from before is looked at again; a socket without one is searched for
   * if it is new, or if it is time to.
   */
  async #holders(listeners: readonly Listener[], now: number): Promise<Map<number, Holder>> {
    const present = new Set(listeners.map(({ inode }) => inode))
    for (const inode of this.#known.keys()) if (!present.has(inode)) this.#known.delete(inode)
    const { held, doubtful } = await this.#sift(present)
    const due = doubtful.filter((inode) => (this.#known.get(inode)?.next ?? 0) <= now)
    if (!due.length) return held
    const search = this.#search.find(due).then((found) => {
      for (const inode of due) {
        const holder = found.get(inode)
        const searches = (this.#known.get(inode)?.searches ?? 0) + 1
        const wait = SEARCH_AGAIN_MS[Math.min(searches, SEARCH_AGAIN_MS.length) - 1] ?? 0
        this.#known.set(inode, { holder, searches, next: holder ? 0 : now + wait })
        if (holder) held.set(inode, holder)
      }
    })
    await within(search, LOOK_MS) // a later look shows what a long search finds
    return held
  }

  /** Which of these sockets still have the holder that is known. */
  async #sift(inodes: Iterable<number>): Promise<{ held: Map<number, Holder>; doubtful: number[] }> {
    const before = new Map<number, Holder>()
    const doubtful: number[] = []
    for (const inode of inodes) {
      const holder = this.#known.get(inode)?.holder
      if (holder) before.set(inode, holder)
      else doubtful.push(inode)
    }
    const held = await stillHeld(this.#run, before)
    for (const inode of before.keys()) if (!held.has(inode)) doubtful.push(inode)
    return { held, doubtful }
  }

  /**
   * The address at which the box, and nobody else, answers on a port. With SO_REUSEPORT another process of the same
   * user can listen at the same address, and the kernel would choose between the two.
   */
  #reach(
    atPort: readonly Listener[],
    holders: ReadonlyMap<number, Holder>,
  ): { readonly address: string; readonly inodes: ReadonlySet<number> } | undefined {
    for (const [address, same] of Map.groupBy(atPort, (one) => one.address)) {
      if (hasOwnNetwork(this.#box) || same.every(({ inode }) => holders.has(inode)))
        return { address, inodes: new Set(same.map(({ inode }) => inode)) }
    }
    return undefined
  }

  /** Looks at the owner of the socket anew. */
  async prove(port: number): Promise<Proof | undefined> {
    const atPort = (await this.#listeners()).filter((one) => one.port === port)
    if (!atPort.length) return undefined
    const isAlone = hasOwnNetwork(this.#box)
    const reach = this.#reach(atPort, isAlone ? new Map<number, Holder>() : await this.#prove(atPort))
    if (!reach) return undefined
    const { address, inodes } = reach
    const still = (): boolean => {
      if (isAlone) return true
      const now = ownListeners().filter((one) => one.port === port && one.address === address)
      return now.length > 0 && now.every(({ inode }) => inodes.has(inode))
    }
    return { address, still }
  }

  async #prove(listeners: readonly Listener[]): Promise<Map<number, Holder>> {
    const { held, doubtful } = await this.#sift(new Set(listeners.map(({ inode }) => inode)))
    if (!doubtful.length) return held
    const search = this.#search.find(doubtful).then((found) => {
      for (const inode of doubtful) {
        const holder = found.get(inode)
        if (!holder) continue
        held.set(inode, holder)
        this.#known.set(inode, { holder, searches: 1, next: 0 })
      }
    })
    await within(search, PROVE_MS)
    return held
  }
}

export interface Proof {
  /** The loopback address that leads to the box. */
  readonly address: string
  /** Whether the same sockets listen there as when the owner was looked at. Call it after connecting. */
  still(): boolean
}
