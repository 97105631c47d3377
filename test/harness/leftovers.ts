/** Finds the processes and mounts of a test by the one name that is in all of their paths. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { waitUntil } from './wait.ts'

export interface Leftover {
  readonly pid: number | undefined
  readonly description: string
}

/**
 * Processes that have `root` in their environment, arguments, current folder or mounts, and mounts in our
 * own mount namespace. Every user may read every `mountinfo`, so boxes are found, too.
 */
export function findLeftovers(root: string): Leftover[] {
  const mounts = mountsUnder(root, 'self')
  const found: Leftover[] = mounts.map((line) => ({ pid: undefined, description: `mount: ${line}` }))
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    const why = trace(root, entry, mounts.length === 0)
    if (why === undefined) continue
    const words = read(`/proc/${entry}/cmdline`).replaceAll('\0', ' ').trim()
    found.push({ pid: Number(entry), description: `process ${entry} (${why}): ${words}` })
  }
  return found
}

function trace(root: string, pid: string, lookAtMounts: boolean): string | undefined {
  // A zombie has none of these any more; reaping it is another test's subject.
  if (read(`/proc/${pid}/cmdline`).includes(root)) return 'arguments'
  if (read(`/proc/${pid}/environ`).includes(root)) return 'environment'
  if (link(`/proc/${pid}/cwd`).startsWith(root)) return 'current folder'
  if (lookAtMounts && mountsUnder(root, pid).length > 0) return 'mounts'
  return undefined
}

function mountsUnder(root: string, pid: string): string[] {
  return read(`/proc/${pid}/mountinfo`)
    .split('\n')
    .filter((line) => line.includes(root))
}

/** Kills the processes and, as root, removes the mounts, so that the next test starts clean. */
export async function endLeftovers(root: string): Promise<void> {
  for (const { pid, description } of findLeftovers(root)) {
    if (pid !== undefined) kill(pid)
    const target = /^mount: \S+ \S+ \S+ \S+ (\S+)/.exec(description)?.[1]
    if (target !== undefined)
      Bun.spawnSync(['umount', '--lazy', target], { stdout: 'ignore', stderr: 'ignore' })
  }
  await waitUntil(
    () => findLeftovers(root).length === 0,
    () =>
      `the end of what was killed:\n${findLeftovers(root)
        .map((left) => left.description)
        .join('\n')}`,
  )
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended, or belongs to a box and ends with the box's init.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // gone meanwhile, or not ours to read
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
