/** Reads a daemon's own status, and its memory use from the kernel. */
import { readFileSync } from 'node:fs'
import { findLeftovers } from '../../test/harness/leftovers.ts'
import type { Scratch } from '../../test/harness/sandbox.ts'

export interface DaemonStatus {
  readonly pid: number
  /** How long the creation of each of the latest boxes took, in ms, oldest first. */
  readonly creates: readonly number[]
}

/** Returns the daemon's status, and starts a daemon if none runs. */
export async function daemonStatus(t: Scratch): Promise<DaemonStatus> {
  await t.coop(['ls']) // status does not start one
  const { code, stdout, stderr } = await t.coop(['system', 'status', '--json'])
  if (code !== 0) throw new Error(`coop system status: ${stderr}`)
  const { pid, creates = [] } = JSON.parse(stdout) as Partial<DaemonStatus>
  if (pid === undefined) throw new Error('coop system status --json names no pid')
  return { pid, creates }
}

/** Returns the proportional memory in MB; undefined when it may not be read, as for processes that are not dumpable. */
export function proportionalMemory(pid: number): number | undefined {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024
  } catch {
    return undefined
  }
}

/**
 * Returns coop's own processes besides the daemon: the zygote and the init of each box, but not the boxes' programs.
 */
export function ownProcesses(t: Scratch, daemon: number, agent: string): number[] {
  const own: number[] = []
  for (const { pid, description } of findLeftovers(t.root)) {
    if (pid !== undefined && pid !== daemon && !description.endsWith(`: ${agent}`)) own.push(pid)
  }
  return own
}
