/** The memory of a box's processes, seen from outside (proc_pid_task_children(5), proc_pid_statm(5)). */
import { readdirSync, readFileSync } from 'node:fs'

const PAGE_SIZE = 4096 // bytes; statm counts pages, and both architectures that coop runs on use 4 KiB by default
const MAX_PROCESSES = 20_000
const GOOD_MS = 1_000 // a reading stays valid: each process takes some ten system calls while `coop ls` waits

/** Pids of a process's children; the kernel lists them per thread. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      return text.split(' ').filter(Boolean).map(Number)
    })
  } catch {
    return [] // ended meanwhile, or a kernel without CONFIG_PROC_CHILDREN
  }
}

/** All processes below init, by host pid. */
export function processesOf(init: number): number[] {
  const found: number[] = []
  const queue = childrenOf(init)
  for (let pid = queue.pop(); pid !== undefined && found.length < MAX_PROCESSES; pid = queue.pop()) {
    found.push(pid)
    queue.push(...childrenOf(pid))
  }
  return found
}

/** Resident bytes of all processes; shared pages count in each. */
function residentBytes(init: number): number {
  let pages = 0
  for (const pid of processesOf(init)) {
    try {
      pages += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    } catch {
      // Ended meanwhile.
    }
  }
  return pages * PAGE_SIZE
}

/** Resident bytes of all processes of a box, as of at most a second ago. */
export class MemoryMeter {
  #bytes = 0
  #readAt = Number.NEGATIVE_INFINITY

  read(init: number): number {
    const now = performance.now()
    if (now - this.#readAt > GOOD_MS) {
      this.#bytes = residentBytes(init)
      this.#readAt = now
    }
    return this.#bytes
  }
}
