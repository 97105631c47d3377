/**
 * Finds the files of a workspace that are its user's work: files that git tracks or would add, or all without git.
 */
import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runGit } from './git-process.ts'

export interface WorkspaceFiles {
  readonly kind: 'repository' | 'with-ignored' | 'folder'
  /** Below the workspace; bytes, as latin1. Undefined means all files. */
  readonly paths: readonly string[] | undefined
  /** Nested repositories, whose files are not included. */
  readonly nested: readonly string[]
}

/** Whether a path listed by git is below the workspace and not one of git's own. */
export function isWorkPath(path: string): boolean {
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/^\.git$/i.test(part))
}

/** Parses the output of `git ls-files -z` (latin1). A nested repository ends with a slash and goes to `nested`. */
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

/** Ignored files of a workspace in a repository; a folder of which all is ignored is one entry that ends with a slash. */
export async function listIgnored(workspace: string, home: string, signal?: AbortSignal): Promise<string[]> {
  const which = ['--others', '--ignored', '--exclude-standard', '--directory']
  const list = await runGit(workspace, home, ['ls-files', '-z', ...which], signal)
  return list.toString('latin1').split('\0').filter(Boolean)
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
