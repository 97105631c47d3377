/** Suspends this process as a job of the user's shell. */
import { readFileSync } from 'node:fs'

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

/** The parent, group and session of a process (proc_pid_stat(5)); undefined if it is gone. */
function kinOf(pid: number | 'self'): { parent: number; group: number; session: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [, parent, group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(parent), group: Number(group), session: Number(session) }
  } catch {
    return undefined
  }
}

/**
 * Whether somebody could continue this process: a shell of its session, outside of its group. In doubt true. Otherwise the
 * kernel ignores the stop, but meanwhile the terminal would echo what is typed a second time.
 */
export function isJob(): boolean {
  const own = kinOf('self')
  let above = own && kinOf(own.parent)
  while (above && above.group === own?.group && above.parent > 0) above = kinOf(above.parent)
  return !own || !above || above.session === own.session
}
