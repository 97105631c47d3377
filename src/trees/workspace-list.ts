/**
 * Which files of a workspace are its user's work: what git knows or would add, or everything where there is no git. The
 * repository is hostile: git is called so that nothing in it is run, and writes nothing.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CoopError } from '../core/errors.ts'
import { findSystemProgram, SYSTEM_PATH } from '../programs.ts'

const MAX_LIST = 256 << 20 // bytes of names

export interface WorkspaceFiles {
  readonly kind: 'repository' | 'with-ignored' | 'folder'
  /** Below the workspace; bytes, as latin1. Undefined: all there are. */
  readonly paths: readonly string[] | undefined
  /** Repositories within, whose files are not among them. */
  readonly nested: readonly string[]
}

/** Variables and options that keep git from running anything of a repository's (git(1), git-config(1)). */
export function safeGit(home: string): { readonly options: string[]; readonly env: Record<string, string> } {
  return {
    options: [
      ...['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.sshCommand=false'],
      // When root invokes coop, the repository belongs to somebody else.
      ...['-c', 'safe.directory=*'],
    ],
    env: {
      PATH: SYSTEM_PATH,
      HOME: home,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_NO_LAZY_FETCH: '1', // a partial clone would call its remote, by a program of its choice
      GIT_ALLOW_PROTOCOL: 'none',
      GIT_TERMINAL_PROMPT: '0',
      GIT_EXTERNAL_DIFF: '',
      GIT_PAGER: 'cat',
    },
  }
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
    if (existsSync(join(at, '.git'))) return true
    if (at === dirname(at)) return false
  }
}

/** Raises E_WORKSPACE for a repository that git cannot read. */
export async function listWorkspace(
  workspace: string,
  home: string,
  withIgnored: boolean,
): Promise<WorkspaceFiles> {
  if (!inRepository(workspace)) return { kind: 'folder', paths: undefined, nested: [] }
  const git = findSystemProgram('git')
  if (!git)
    throw new CoopError('E_WORKSPACE', 'git is needed for the files of a repository, and is not installed', {
      hint: 'install git, or leave --workspace out',
    })
  const { options, env } = safeGit(home)
  const which = ['--cached', '--others', ...(withIgnored ? [] : ['--exclude-standard'])]
  const child = Bun.spawn([git, ...options, 'ls-files', '-z', ...which], {
    cwd: workspace,
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    maxBuffer: MAX_LIST,
  })
  const [out, said] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0)
    throw new CoopError(
      'E_WORKSPACE',
      `git cannot read the repository ${workspace}: ${said.trim().slice(0, 300)}`,
      {
        hint: 'try it yourself: git status; or leave --workspace out',
      },
    )
  return { kind: withIgnored ? 'with-ignored' : 'repository', ...parseList(Buffer.from(out)) }
}
