/**
 * Files of the host that its user may read and others may not: by their own id, by one of their groups, by an access
 * list. Root of the box has the user's ids, and the groups where the kernel lets nobody give them up, so that the `host`
 * image would show such files. Pure: which are to be covered, and with how many mounts.
 */

/** What of the image is covered, by path: files by an empty device, folders by an empty folder. */
export interface Covered {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

export const NOTHING_COVERED: Covered = { files: [], folders: [] }

/** Mounts for it: a folder takes nine calls, and a batch has room for two thousand. */
export const MAX_COVERED = 100

export interface FileFacts {
  readonly folder: boolean
  readonly mode: number
  readonly uid: number
}

const OTHERS_READ = 0o004
const OTHERS_ENTER = 0o001

/**
 * Whether only the user, among those who are no root, can use it. `allowed` asks the kernel, which knows groups and
 * access lists; it is asked for the few that others may not use. What the user owns they can make readable.
 */
export function isTheUsers({ folder, mode, uid }: FileFacts, user: number, allowed: () => boolean): boolean {
  if (mode & (folder ? OTHERS_ENTER : OTHERS_READ)) return false
  return uid === user || allowed()
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

/**
 * At most `most` mounts: folders with many of these files are covered whole. Undefined when that is not enough, since
 * the folders of `tops` themselves cannot be covered.
 */
export function bounded(covered: Covered, tops: readonly string[], most = MAX_COVERED): Covered | undefined {
  let { files, folders } = covered
  while (files.length + folders.length > most) {
    const counts = new Map<string, number>()
    for (const path of [...files, ...folders]) {
      const parent = parentOf(path)
      if (!tops.includes(parent)) counts.set(parent, (counts.get(parent) ?? 0) + 1)
    }
    const [fullest] = [...counts].sort(([, a], [, b]) => b - a)
    if (!fullest) return undefined
    const [folder] = fullest
    const outside = (path: string): boolean => !path.startsWith(`${folder}/`)
    files = files.filter(outside)
    folders = [...folders.filter(outside), folder]
  }
  return { files, folders }
}
