/** The commit that a release is made from. */
import { CoopError } from '../../src/core/errors.ts'

export interface Source {
  readonly commit: string
  /** From the commit or SOURCE_DATE_EPOCH, not from the clock, so that a second build has the same bytes. */
  readonly time: string
}

/** Raises E_FAILED if files differ from the commit, unless that is allowed. */
export function source(root: string, changesAllowed: boolean): Source {
  const git = (...args: string[]): string => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(['git', '--no-optional-locks', ...args], { cwd: root })
    if (exitCode === 0) return stdout.toString()
    throw new CoopError(
      'E_FAILED',
      `a release is made from a commit, and git cannot name one: ${stderr}`.trimEnd(),
      {
        hint: 'run it in a clone of the repository',
      },
    )
  }
  const changed = git('status', '--porcelain').split('\n').filter(Boolean)
  if (changed.length > 0 && !changesAllowed)
    throw new CoopError(
      'E_FAILED',
      `${changed.length} files differ from the commit, such as ${changed[0]?.slice(3)}`,
      {
        hint: 'commit or remove them; --allow-changes makes a release whose version says -dirty',
      },
    )
  const [commit = '', seconds] = git('log', '-1', '--format=%H %ct').trim().split(' ')
  const at = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? seconds) * 1000)
  return { commit, time: `${at.toISOString().slice(0, 19)}Z` }
}
