/** Whether everybody may read something: what a project may have of root's machine. Pure. */

/** What leads to a place, from the root of the system on. */
export interface WayPart {
  readonly path: string
  readonly mode: number
  readonly isFolder: boolean
}

const READ = 0o4
const SEARCH = 0o1

/**
 * The first folder or file on the way that is closed to others; undefined when there is none. Folders that lead to
 * `project` as well are passed by whoever works in that. By modes for others alone: the owner of a workspace is what a
 * box can change in it.
 */
export function closedPart(way: readonly WayPart[], project: string): string | undefined {
  return way.find(({ path, mode, isFolder }, index) => {
    const last = index === way.length - 1
    const leadsToProject = project === path || project.startsWith(path === '/' ? '/' : `${path}/`)
    const wanted = (last ? READ : 0) | (isFolder && !(leadsToProject && !last) ? SEARCH : 0)
    return (mode & wanted) !== wanted
  })?.path
}
