/**
 * What is elsewhere on this machine than in a running box. A mount is a folder or file, not a name: a workspace that is
 * moved away or replaced stays in the box as it was, and so does a file that is replaced by renaming, as editors save.
 * The kernel cannot let a mount follow a name.
 */
import { statOf } from '../host/host-place.ts'
import type { Plan, Source } from '../sandbox/plan.ts'

export interface Displaced {
  readonly workspace?: 'moved' | 'replaced'
  readonly notes: readonly string[]
}

const MOST_FILES = 20 // looked at for each listing

/** Compares within one boot, in which device numbers stay. A folder that may not be looked at counts as moved. */
function changeOf({ path, inode, device }: Source): Displaced['workspace'] {
  const stat = statOf(path)
  if (!stat) return 'moved'
  const isSame =
    Number(stat.ino) === inode && stat.devMajor === device.major && stat.devMinor === device.minor
  return isSame ? undefined : 'replaced'
}

/** Returns what to tell about a running box; undefined when everything is where it was. */
export function displacedIn({ name, steps, workspace: { source } }: Plan): Displaced | undefined {
  const workspace = changeOf(source)
  const notes: string[] = []
  if (workspace === 'moved')
    notes.push(
      `the workspace ${source.path} was moved or deleted, and the box ${name} still works in that folder; put it back, or end the box: coop kill ${name}`,
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
    if (changeOf(file) === undefined) continue
    notes.push(
      `the file ${file.path} was replaced since the box ${name} started, and the box has the old one; for the new one: coop stop ${name}; coop start ${name}; a mount of its folder follows such changes`,
    )
  }
  return notes.length ? { ...(workspace ? { workspace } : {}), notes } : undefined
}
