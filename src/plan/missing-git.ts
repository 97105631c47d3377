/** Where git finds no repository in a box although there is one on this machine. */
import { dirname, join } from 'node:path'
import { isThere } from '../../ffi/files.ts'
import { readInside } from '../../ffi/small-file.ts'
import { normalize } from '../core/posix-path.ts'
import { isWithin } from '../sandbox/sensitive.ts'

const MAX_GIT_FILE = 8192 // bytes: a word and one path

interface Folders {
  /** On this machine, links resolved. */
  readonly workspace: string
  /** Where the box has it. */
  readonly target: string
  /** Where the box has other folders of this machine. */
  readonly mounts: readonly string[]
}

/** A sentence for the person who starts the box; undefined when git works, or there is no repository. */
export function missingGit({ workspace, target, mounts }: Folders): string | undefined {
  if (isThere(join(workspace, '.git'))) {
    const leads = gitFileOf(workspace)
    if (leads === undefined) return undefined
    const place = normalize(leads.startsWith('/') ? leads : join(target, leads))
    if ([target, ...mounts].some((folder) => isWithin(place, folder))) return undefined
    const sentence = `git does not work in this box: .git of ${workspace} leads out of it, as in a linked worktree or a submodule`
    return `${sentence}; start coop in the main repository, or mount its .git in your own settings`
  }
  if (isThere(join(workspace, 'HEAD')) && isThere(join(workspace, 'objects'))) return undefined // a bare one
  const above = repositoryAbove(workspace)
  if (above === undefined || mounts.some((folder) => isWithin(join(above, '.git'), folder))) return undefined
  return `git does not work in this box: ${workspace} belongs to the repository ${above}, and the box has this folder alone; start coop there`
}

/** Where a `.git` that is a file or a link leads; undefined for a folder. */
function gitFileOf(workspace: string): string | undefined {
  try {
    const bytes = readInside(workspace, '.git', MAX_GIT_FILE)
    // "gitdir: PATH" (gitrepository-layout(5)).
    return bytes && /^gitdir: ([^\n]+)/.exec(Buffer.from(bytes).toString('utf8'))?.[1]
  } catch {
    return '/' // a link out of the workspace, which the box does not have either
  }
}

function repositoryAbove(workspace: string): string | undefined {
  for (let folder = workspace; folder !== '/'; ) {
    folder = dirname(folder)
    if (isThere(join(folder, '.git/HEAD')) || isGitFile(folder)) return folder
  }
  return undefined
}

/** Of a worktree or submodule. */
function isGitFile(folder: string): boolean {
  try {
    return readInside(folder, '.git', MAX_GIT_FILE) !== undefined
  } catch {
    return false // none, or a link to somewhere else
  }
}
