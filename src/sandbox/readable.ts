/** Whether everybody may read a place: only such places may a project use on root's machine. Pure. */

/** The folders on the way to a place, and the place itself, starting at the system's root. */
export interface WayPart {
  readonly path: string
  readonly mode: number
  readonly isFolder: boolean
}

const READ = 0o4
const SEARCH = 0o1

/**
 * The first folder or file on the way that is closed to others; undefined if there is none. Folders that also lead to
 * `project` need not be searchable, because its users already pass them. Only the mode bits for others count: a box can
 * change the owner of files in its workspace.
 */
export function closedPart(way: readonly WayPart[], project: string): string | undefined {
  return way.find(({ path, mode, isFolder }, index) => {
    const last = index === way.length - 1
    const leadsToProject = project === path || project.startsWith(path === '/' ? '/' : `${path}/`)
    const wanted = (last ? READ : 0) | (isFolder && !(leadsToProject && !last) ? SEARCH : 0)
    return (mode & wanted) !== wanted
  })?.path
}
