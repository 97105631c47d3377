/** Installs the hook that checks what is about to be committed. A hook that is there already is kept. */
import { chmodSync, lstatSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { CoopError } from '../../core/errors.ts'
import { writeAtomically } from '../../disk/write-atomically.ts'
import { runGit } from '../../trees/git-process.ts'

const NAME = 'pre-commit'
const MARK = '# added by coop check-secrets --install-hook'
const SHELL = /^#!\s*(?:\/usr)?(?:\/bin\/(?:env\s+)?)(?:sh|bash|dash|zsh|ksh)\b[^\n]*\n/
const MAX_HOOK = 1 << 20

export interface Installed {
  readonly path: string
  readonly how: 'made' | 'extended' | 'unchanged'
}

/** The line of the hook. The path is absolute: what a commit runs must not depend on the PATH of an editor. */
export function hookLine(program: string): string {
  return `'${program.replaceAll("'", "'\\''")}' check-secrets --staged || exit 1 ${MARK}`
}

/** Returns what the hook becomes; undefined if only a person can add the line. */
export function withLine(old: string | undefined, line: string): string | undefined {
  if (old === undefined) return `#!/bin/sh\n${line}\n`
  const shell = SHELL.exec(old)
  if (!shell) return undefined
  const rest = old
    .slice(shell[0].length)
    .split('\n')
    .filter((each) => !each.endsWith(MARK)) // one of another place of coop
    .join('\n')
  return `${shell[0]}${line}\n${rest}`
}

export async function installHook(folder: string, home: string, program: string): Promise<Installed> {
  const line = hookLine(program)
  const refuse = (why: string): CoopError =>
    new CoopError('E_WORKSPACE', `the hook was not installed: ${why}`, {
      hint: `add this line to it yourself: ${line}`,
    })
  const hooks = await hooksFolder(folder, home, refuse)
  const path = join(hooks, NAME)
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there && (!there.isFile() || there.size > MAX_HOOK)) throw refuse(`${path} is not an ordinary file`)
  const old = there ? readFileSync(path, 'utf8') : undefined
  if (old?.split('\n').includes(line) && there && there.mode & 0o100) return { path, how: 'unchanged' }
  const text = withLine(old, line)
  if (text === undefined) throw refuse(`${path} is there and not a shell script`)
  mkdirSync(hooks, { recursive: true })
  writeAtomically(path, text, { sync: false })
  chmodSync(path, 0o755)
  return { path, how: old === undefined ? 'made' : 'extended' }
}

/** The folder of the user's hooks. One that the repository's own settings name may be part of the work tree. */
async function hooksFolder(
  folder: string,
  home: string,
  refuse: (why: string) => CoopError,
): Promise<string> {
  const ask = async (args: readonly string[], none?: number): Promise<string[]> => {
    const out = await runGit(folder, home, args, undefined, undefined, none === undefined ? {} : { none })
    return out.toString('utf8').split('\0').join('\n').split('\n').filter(Boolean)
  }
  const scoped = await ask(['config', '--show-scope', '-z', '--type=path', '--get-all', 'core.hooksPath'], 1)
  let named: { readonly scope: string; readonly path: string } | undefined
  for (let at = 0; at + 1 < scoped.length; at += 2) {
    const scope = scoped[at] ?? ''
    // The scope `command` is coop's own protection.
    if (scope !== 'command') named = { scope, path: scoped[at + 1] ?? '' }
  }
  if (named?.scope === 'local' || named?.scope === 'worktree')
    throw refuse(`this repository has its hooks in ${named.path} (core.hooksPath), where others may write`)
  if (named) {
    if (!named.path.startsWith('/'))
      throw refuse(`core.hooksPath is ${named.path}, which is another folder in each repository`)
    return named.path
  }
  const [common = ''] = await ask(['rev-parse', '--path-format=absolute', '--git-common-dir'])
  const hooks = join(common, 'hooks')
  const found = lstatSync(hooks, { throwIfNoEntry: false })
  if (found && realpathSync(hooks) !== hooks) throw refuse(`${hooks} leads elsewhere`)
  return hooks
}
