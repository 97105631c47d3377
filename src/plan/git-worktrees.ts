/**
 * Worktrees of a repository that a box does not have. Git takes a worktree whose path does not exist for a deleted one
 * and removes its index and HEAD (`git worktree prune`, and `git gc` after three months). So the box gets a link at that
 * path: git finds something there, and no command follows it.
 */
import { join, normalize } from 'node:path'
import { closeDescriptor } from '../../ffi/pty.ts'
import { textOf } from '../../ffi/text-bytes.ts'
import { FOLDER, listNames, openReal, pathBytes } from '../../ffi/tree.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import { type GitPlace, gitLine, isFolder } from './git-pointer.ts'

/** No file, so that `git worktree remove` refuses and `git worktree repair` goes on without writing there. */
export const ABSENT = '/dev/null'
const MOST = 100 // worktrees with a link
const MOST_MODULES = 100
const MOST_NAMES = 5000 // of a folder; a box may fill it
const MODULE_DEPTH = 6 // a submodule may be called a/b/c

/** The names in a folder that no link leads to; none if it is not there. */
function namesIn(folder: string): readonly string[] {
  let fd: number
  try {
    fd = openReal(pathBytes(folder), FOLDER)
  } catch {
    return []
  }
  try {
    const names: string[] = []
    for (const some of listNames(fd)) {
      names.push(...some.map((name) => textOf(Buffer.from(name, 'latin1'))))
      if (names.length > MOST_NAMES) break
    }
    return names.sort()
  } catch {
    return []
  } finally {
    closeDescriptor(fd)
  }
}

/** The git folders of submodules in a git folder (gitrepository-layout(5), "modules"). */
export function moduleStores(store: GitPlace): readonly GitPlace[] {
  const found: GitPlace[] = []
  const search = (place: GitPlace, depth: number): void => {
    for (const name of namesIn(place.path)) {
      const below = { path: join(place.path, name), at: join(place.at, name) }
      if (found.length >= MOST_MODULES || depth > MODULE_DEPTH || !isFolder(below.path)) continue
      if (gitLine(below.path, 'HEAD') === undefined) search(below, depth + 1)
      else {
        found.push(below)
        search({ path: join(below.path, 'modules'), at: join(below.at, 'modules') }, depth + 1)
      }
    }
  }
  search({ path: join(store.path, 'modules'), at: join(store.at, 'modules') }, 0)
  return found
}

/**
 * The `.git` of each worktree that the box does not have, as git in the box looks for it. `targets`: places of the box
 * that show folders of the host, where nothing may be made.
 */
export function absentWorktrees(store: GitPlace, targets: readonly string[]): readonly string[] {
  const folder = join(store.path, 'worktrees')
  const paths = namesIn(folder).flatMap((name) => {
    const text = gitLine(folder, `${name}/gitdir`)
    if (!text?.endsWith('/.git')) return []
    // Relative since git 2.48 (worktree.useRelativePaths).
    return normalize(text.startsWith('/') ? text : join(store.at, 'worktrees', name, text))
  })
  return paths.filter((path) => !targets.some((target) => isWithin(path, target))).slice(0, MOST)
}
