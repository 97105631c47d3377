/** The states of a process's threads. */
import { readdirSync, readFileSync } from 'node:fs'

/** The states of all threads (proc_pid_stat(5), field 3). */
export function statesOf(pid: number): string {
  try {
    const states = readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      return stat.charAt(stat.lastIndexOf(')') + 2)
    })
    return states.join('')
  } catch {
    return 'X' // ended meanwhile
  }
}
