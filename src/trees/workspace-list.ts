/**
 * Which files of a workspace are its user's work: what git knows or would add, or everything where there is no git.
 */
import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runGit } from './git-process.ts'

export interface WorkspaceFiles {
  readonly kind: 'repository' | 'with-ignored' | 'folder'
  /** Below the workspace; bytes, as latin1. Undefined: all there are. */
  readonly paths: readonly string[] | undefined
  /** Repositories within, whose files are not among them. */
  readonly nested: readonly string[]
}

/** Whether a path that git told is one below the workspace, and none of git's own. */
export function isWorkPath(path: string): boolean {
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/^\.git$/i.test(part))
}

/** What `git ls-files -z` wrote; latin1. A repository within ends with a slash and is left to itself: `nested`. */
export function parseList(bytes: Buffer): { readonly paths: string[]; readonly nested: string[] } {
  const all = [...new Set(bytes.toString('latin1').split('\0'))]
  return { paths: all.filter(isWorkPath), nested: all.filter((path) => path.endsWith('/')) }
}

function inRepository(workspace: string): boolean {
  for (let at = workspace; ; at = dirname(at)) {
    if (lstatSync(join(at, '.git'), { throwIfNoEntry: false })) return true
    if (at === dirname(at)) return false
  }
}

/** Raises E_WORKSPACE for a repository that git cannot read. */
export async function listWorkspace(
  workspace: string,
  home: string,
  withIgnored: boolean,
  signal?: AbortSignal,
): Promise<WorkspaceFiles> {
  if (!inRepository(workspace)) return { kind: 'folder', paths: undefined, nested: [] }
  const which = ['--cached', '--others', ...(withIgnored ? [] : ['--exclude-standard'])]
  const list = await runGit(workspace, home, ['ls-files', '-z', ...which], signal)
  return { kind: withIgnored ? 'with-ignored' : 'repository', ...parseList(list) }
}
