/** Suspends this process as a job of the user's shell. */

/**
 * The signal stops this process within microseconds. When it is still running after this time, the kernel has ignored
 * the signal: nobody could continue this process (setpgid(2), "orphaned process group").
 */
const STOPPED_MS = 50

export class Suspension {
  readonly #asked: () => void

  /** `asked` is called when somebody wants this process to stop (`kill -TSTP`). */
  constructor(asked: () => void) {
    this.#asked = asked
    process.on('SIGTSTP', asked)
  }

  /**
   * Stops this process, or its whole group as Ctrl+Z does at a prompt: a script that has started coop stops with it.
   * Resolves when it continues.
   */
  async stop(what: 'process' | 'group'): Promise<void> {
    process.off('SIGTSTP', this.#asked) // without a handler, the signal stops
    const { promise, resolve } = Promise.withResolvers<void>()
    process.on('SIGCONT', resolve)
    process.kill(what === 'group' ? 0 : process.pid, 'SIGTSTP')
    const timer = setTimeout(resolve, STOPPED_MS)
    await promise
    clearTimeout(timer)
    process.off('SIGCONT', resolve)
    process.on('SIGTSTP', this.#asked)
  }

  close(): void {
    process.off('SIGTSTP', this.#asked)
  }
}
