/** What a daemon says of itself, and what the kernel says of its memory. */
import { readFileSync } from 'node:fs'
import { findLeftovers } from '../../test/harness/leftovers.ts'
import type { Scratch } from '../../test/harness/sandbox.ts'

export interface DaemonStatus {
  readonly pid: number
  /** How long the creation of each of the latest boxes took, in ms, oldest first. */
  readonly creates: readonly number[]
}

/** Starts the daemon if none runs. */
export async function daemonStatus(t: Scratch): Promise<DaemonStatus> {
  await t.coop(['ls']) // status does not start one
  const { code, stdout, stderr } = await t.coop(['system', 'status', '--json'])
  if (code !== 0) throw new Error(`coop system status: ${stderr}`)
  const { pid, creates = [] } = JSON.parse(stdout) as Partial<DaemonStatus>
  if (pid === undefined) throw new Error('coop system status --json names no pid')
  return { pid, creates }
}

/** Proportional memory in MB; undefined when it may not be read, as of processes that are not dumpable. */
export function proportionalMemory(pid: number): number | undefined {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024
  } catch {
    return undefined
  }
}

/** The processes of coop's own beside the daemon: the zygote and the init of each box, not what boxes run. */
export function ownProcesses(t: Scratch, daemon: number, agent: string): number[] {
  const own: number[] = []
  for (const { pid, description } of findLeftovers(t.root)) {
    if (pid !== undefined && pid !== daemon && !description.endsWith(`: ${agent}`)) own.push(pid)
  }
  return own
}
