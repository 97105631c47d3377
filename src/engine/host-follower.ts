/**
 * Keeps name servers, names and the time zone of running boxes as the host's, for boxes that share its network. The
 * host replaces these files by renaming (NetworkManager, resolvconf, timedatectl), which no mount of a file follows.
 */
import * as k from '../../ffi/abi/constants.ts'
import { must, syscall } from '../../ffi/libc.ts'
import type { Watched, Watcher } from '../../ffi/watcher.ts'
import type { Box } from '../box/box.ts'
import { wantedEtc } from '../box/follow-host.ts'
import { hostNames, namesFolders } from '../host/host-names.ts'
import type { Log } from './log.ts'

const MASK = 0x8 | 0x80 | 0x100 | 0x200 // IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_DELETE (inotify(7))
const SETTLE_MS = 50 // writers make and rename several files in a row

export class HostFollower {
  readonly #boxes: () => readonly Box[]
  readonly #watcher: Watcher
  readonly #log: Log
  #inotify: number | undefined
  #watched: Watched | undefined
  #timer: Timer | undefined

  constructor(watcher: Watcher, log: Log, boxes: () => readonly Box[]) {
    this.#watcher = watcher
    this.#log = log
    this.#boxes = boxes
  }

  /** Starts to watch, unless it does already, and looks once. */
  start(): void {
    if (this.#inotify !== undefined) return
    try {
      const fd = must('inotify_init1', undefined, k.O_CLOEXEC | k.O_NONBLOCK)
      this.#inotify = fd
      this.#watched = this.#watcher.watch(fd, () => this.#told(fd))
      this.#watch(fd)
    } catch (error) {
      this.#log('host-names-not-watched', { error: String(error) })
    }
    this.#soon()
  }

  #watch(fd: number): void {
    for (const folder of namesFolders()) syscall('inotify_add_watch', fd, Buffer.from(`${folder}\0`), MASK)
    this.#watched?.arm({ reading: true, writing: false })
  }

  #told(fd: number): void {
    const events = new Uint8Array(4096)
    while (syscall('read', fd, events, events.length) > 0);
    this.#watch(fd)
    this.#soon()
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const names = hostNames()
      for (const box of this.#boxes()) {
        const { plan } = box.manifest
        if (plan.network !== 'host' || !box.running) continue
        void box.refresh(plan, wantedEtc(plan, names)).catch((error) => {
          this.#log('host-names-not-taken', { box: box.name, error: String(error) })
        })
      }
    }, SETTLE_MS)
    this.#timer.unref()
  }
}
