/** Counts the descriptors that this process may still open, and makes work wait until there are enough. */
import { readdirSync, statSync } from 'node:fs'
import { raiseOpenFiles } from '../../ffi/processes.ts'
import { CoopError } from '../core/errors.ts'

const AT_ONCE = 8 // boxes being made at a time: more are no faster, and each takes memory and processes
const NEEDED = 40 // descriptors to make one box, its helpers' pipes included
const LOOK_MS = 20
const PATIENCE_MS = 60_000 // how long boxes wait while none can be started

let limit: number | undefined

/** Returns the number of open descriptors. Linux 6.2 and newer report it as the folder's size (proc_pid_fd(5)). */
function openDescriptors(): number {
  return statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length
}

/** Returns the limit of open descriptors, after raising the soft limit to the hard one. */
export function openFilesLimit(): number {
  limit ??= raiseOpenFiles()
  return limit
}

export function descriptorsLeft(): number {
  return openFilesLimit() - openDescriptors()
}

/** Runs work in order of arrival, a few at a time, each with enough descriptors. */
export class Turns {
  readonly #left: () => number
  readonly #waiting: { enter(): void; fail(error: Error): void }[] = []
  #active = 0
  #enteredAt = 0
  #timer: Timer | undefined

  /** `left`: how many descriptors may still be opened. */
  constructor(left: () => number = descriptorsLeft) {
    this.#left = left
  }

  /** Whether some work waits. */
  get busy(): boolean {
    return this.#waiting.length > 0
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length || !this.#hasRoom()) {
      if (!this.#waiting.length) this.#enteredAt = Date.now()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      this.#waiting.push({ enter: resolve, fail: reject })
      this.#lookLater()
      await promise
    } else this.#enter()
    try {
      return await work()
    } finally {
      this.#active--
      this.#look()
    }
  }

  #hasRoom(): boolean {
    return this.#active < AT_ONCE && this.#left() >= NEEDED * (this.#active + 1)
  }

  #enter(): void {
    this.#active++
    this.#enteredAt = Date.now()
  }

  #look(): void {
    while (this.#waiting.length && this.#hasRoom()) {
      this.#enter()
      this.#waiting.shift()?.enter()
    }
    if (!this.#waiting.length) return
    if (!this.#active && Date.now() - this.#enteredAt > PATIENCE_MS) {
      const error = new CoopError('E_FAILED', 'the coop daemon has no descriptors left for another box', {
        hint: 'end some boxes (coop ls), or raise the limit before the daemon starts: coop system shutdown; ulimit -Hn 65536',
      })
      for (const { fail } of this.#waiting.splice(0)) fail(error)
    } else this.#lookLater()
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#look()
    }, LOOK_MS)
  }
}
