/**
 * Files of the host that its user may read and others may not: by the user's id, a group, or an access list. Root of
 * the box has the user's id, and the user's groups where the kernel lets nobody drop them, so the `host` image would
 * show these files. Pure: decides which paths to cover, and with how many mounts.
 */

/** Paths of the image to cover: files with an empty device, folders with an empty folder. */
export interface Covered {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

export const NOTHING_COVERED: Covered = { files: [], folders: [] }

/** The most mounts for covers: a folder takes nine calls, and a batch has room for two thousand. */
export const MAX_COVERED = 100

export interface FileFacts {
  readonly folder: boolean
  readonly mode: number
  readonly uid: number
}

const OTHERS_READ = 0o004
const OTHERS_ENTER = 0o001

/**
 * Whether a file is open to the user but not to other ordinary users. `allowed` asks the kernel, which knows groups and
 * access lists, and is called only for the few files that others may not use. Files of the user always count, because
 * their owner can make them readable.
 */
export function isTheUsers({ folder, mode, uid }: FileFacts, user: number, allowed: () => boolean): boolean {
  if (mode & (folder ? OTHERS_ENTER : OTHERS_READ)) return false
  return uid === user || allowed()
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

/**
 * At most `most` mounts: folders with many such files are covered whole. Undefined if that does not suffice, because
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
