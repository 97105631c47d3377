import { readFileSync } from 'node:fs'

let boot: string | undefined

/** The id of the machine's current boot (random(4), boot_id). */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return boot
}

/** Start of a process in clock ticks since boot; with the pid it identifies a process for good (proc_pid_stat(5)). */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
