/**
 * An init cloned in advance, with its ids, waiting: making a box then starts with its files. It has nothing of any box
 * yet, and ends with the daemon.
 */
import { openSync } from 'node:fs'
import { SIGKILL } from '../../ffi/abi/constants.ts'
import type { Channel, ChannelEvents } from '../../ffi/channel.ts'
import { openPidfd, signalPidfd } from '../../ffi/processes.ts'
import type { Watched, Watcher } from '../../ffi/watcher.ts'
import { startTimeOf } from '../host/boot.ts'
import { type HostFacts, mountPoints } from '../host/facts.ts'
import { type IdPlan, planIds } from '../sandbox/ids.ts'
import type { NetworkMode } from '../sandbox/plan.ts'
import type { Cgroups } from './cgroup.ts'
import { type Birth, bear, writeIdMaps } from './clone.ts'

const DISMISS_MS = 1000 // the next daemon of this data folder removes what is left after that

interface Spare extends Birth {
  /** The receiver of its events once it belongs to a box. */
  events: ChannelEvents
  /** The host's mounts at the time of the clone: the init has a copy of them and would not see later ones. */
  readonly mounts: string
}

/** An init for a box: its ids are in force when `mapped` resolves. */
export interface NewInit extends Birth {
  readonly mapped: Promise<void>
}

export class Nursery {
  readonly #zygote: Channel
  readonly #host: HostFacts
  readonly #cgroups: Cgroups
  readonly #watcher: Watcher
  #spare: Spare | undefined
  #raising: Promise<void> | undefined
  #changes: Watched | undefined

  constructor(zygote: Channel, host: HostFacts, cgroups: Cgroups, watcher: Watcher) {
    this.#zygote = zygote
    this.#host = host
    this.#cgroups = cgroups
    this.#watcher = watcher
  }

  /** An init for a box; returns at once if a spare one fits. */
  async take(ids: IdPlan, network: NetworkMode, events: ChannelEvents): Promise<NewInit> {
    const spare = network === 'host' ? this.#spare : undefined
    if (spare) {
      if (!spare.channel.closed && spare.mounts === mountPoints().join('\n')) {
        this.#spare = undefined
        spare.events = events
        return { ...spare, mapped: Promise.resolve() }
      }
      this.#drop()
    }
    const birth = await bear({ network, zygote: this.#zygote, events, cgroups: this.#cgroups })
    const mapped = writeIdMaps(birth.init.pid, ids, this.#host)
    mapped.catch(() => {}) // the caller awaits it later
    return { ...birth, mapped }
  }

  /** Make a spare init, unless there is one. Never rejects: a box can be made without one. */
  raise(): Promise<void> {
    this.#raising ??= this.#raise()
      .catch(() => {})
      .finally(() => {
        this.#raising = undefined
      })
    return this.#raising
  }

  async #raise(): Promise<void> {
    if (this.#spare) return
    const mounts = mountPoints().join('\n')
    const events: ChannelEvents = {
      exit: (...told) => spare?.events.exit?.(...told),
      stop: (...told) => spare?.events.stop?.(...told),
      close: () => spare?.events.close?.(),
    }
    let spare: Spare | undefined
    const birth = await bear({ network: 'host', zygote: this.#zygote, events, cgroups: this.#cgroups })
    spare = { ...birth, mounts, events: {} }
    try {
      await writeIdMaps(birth.init.pid, planIds(this.#host.ids), this.#host)
      this.#spare = spare
      this.#watch()
    } catch (error) {
      birth.channel.close()
      this.#cgroups.remove(birth.cgroup)
      throw error
    }
  }

  /**
   * Ends the spare init once the host's mounts change. Where mounts are private, as without systemd, its copy would
   * keep a file system in use that the host has unmounted: a disk could not be ejected, an encrypted one not closed.
   */
  #watch(): void {
    this.#changes ??= this.#watcher.watch(openSync('/proc/self/mountinfo', 'r'), () => this.#watch())
    const spare = this.#spare
    if (spare && spare.mounts !== mountPoints().join('\n')) this.#drop()
    // A change is reported as an error (proc_pid_mounts(5)), which epoll always waits for; the file can be read always.
    if (this.#spare) this.#changes.arm({ reading: false, writing: false })
  }

  #drop(): void {
    const spare = this.#spare
    this.#spare = undefined
    spare?.channel.close()
    this.#cgroups.remove(spare?.cgroup)
  }

  /** Call this before the daemon stops: an init that ends after it would leave its cgroup behind. */
  dismiss(): void {
    const spare = this.#spare
    this.#spare = undefined
    if (spare?.cgroup !== undefined) {
      const pidfd = openPidfd(spare.init.pid)
      if (pidfd !== undefined && startTimeOf(spare.init.pid) === spare.init.startTime)
        signalPidfd(pidfd, SIGKILL)
      this.#cgroups.remove(spare.cgroup)
    }
    for (let waited = 0; this.#cgroups.leaving > 0 && waited < DISMISS_MS; waited++) {
      Bun.sleepSync(1)
      this.#cgroups.sweep()
    }
  }
}
