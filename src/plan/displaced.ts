/**
 * What is elsewhere on this machine than in a running box. A mount is a folder or file, not a name: a workspace that is
 * moved away or replaced stays in the box as it was, and so does a file that is replaced by renaming, as editors save.
 * The kernel cannot let a mount follow a name.
 */
import { readFileSync } from 'node:fs'
import { statOf } from '../host/host-place.ts'
import type { Plan, Source } from '../sandbox/plan.ts'

export interface Displaced {
  readonly workspace?: 'moved' | 'deleted' | 'replaced'
  readonly notes: readonly string[]
}

const MOST_FILES = 20 // looked at for each listing

/** Compares within one boot, in which device numbers stay. A folder that may not be looked at counts as moved. */
function changeOf({ path, inode, device }: Source): 'moved' | 'replaced' | undefined {
  const stat = statOf(path)
  if (!stat) return 'moved'
  const isSame =
    Number(stat.ino) === inode && stat.devMajor === device.major && stat.devMinor === device.minor
  return isSame ? undefined : 'replaced'
}

/**
 * Returns whether the folder that is mounted there in a box was deleted. The kernel marks that in the list of mounts
 * (proc_pid_mountinfo(5)), where a name cannot have two slashes.
 */
function isDeleted(init: number | undefined, target: string): boolean {
  const escaped = target.replace(
    /[ \t\n\\]/g,
    (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`,
  )
  try {
    const fields = readFileSync(`/proc/${init ?? 0}/mountinfo`, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
    return fields.findLast(([, , , , point]) => point === escaped)?.[3]?.endsWith('//deleted') === true
  } catch {
    return false // it has just ended
  }
}

/** Returns what to tell about a running box; undefined when everything is where it was. */
export function displacedIn(plan: Plan, init: number | undefined): Displaced | undefined {
  const { name, steps } = plan
  const { source, target } = plan.workspace
  const change = changeOf(source)
  const workspace = change === 'moved' && isDeleted(init, target) ? 'deleted' : change
  const notes: string[] = []
  if (workspace === 'deleted')
    notes.push(
      `the workspace ${source.path} was deleted, and the box ${name} works in an empty folder that nobody else has; end the box: coop kill ${name}`,
    )
  if (workspace === 'moved')
    notes.push(
      `the workspace ${source.path} was moved, and the box ${name} still works in that folder; put it back, or end the box: coop kill ${name}`,
    )
  if (workspace === 'replaced')
    notes.push(
      `another folder is at ${source.path} now, and the box ${name} still works in the one that was there; to switch: coop stop ${name}; coop start ${name}`,
    )
  // The cover of coop.toml is not what anybody looks at in the box, and the next start makes it again.
  const files = steps.flatMap((step) =>
    step.do === 'bind' && step.source.type === 'file' && step.source.owner === 'user' && !step.existing
      ? [step.source]
      : [],
  )
  for (const file of files.slice(0, MOST_FILES)) {
    const change = changeOf(file)
    if (change === undefined) continue
    notes.push(
      `the file ${file.path} was ${change === 'moved' ? 'moved or deleted' : change} since the box ${name} started, and the box has the old one; for the new one: coop stop ${name}; coop start ${name}; a mount of its folder follows such changes`,
    )
  }
  return notes.length ? { ...(workspace ? { workspace } : {}), notes } : undefined
}
