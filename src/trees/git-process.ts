/**
 * The only way in which coop runs git on the host. A box may have written the repository, so git must run nothing from
 * it, write nothing, and never wait for ever. Its output is a list of names.
 */
import { readFileSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { openReal, pathBytes } from '../../ffi/tree.ts'
import { CoopError } from '../core/errors.ts'
import { findSystemProgram, SYSTEM_PATH } from '../host/programs.ts'
import { statesOf } from '../host/thread-states.ts'

const MAX_OUTPUT = 256 << 20 // bytes of names
const MOST_MS = 120_000 // a million files on a slow disk take less; the box is frozen meanwhile
const LOOK_MS = 200
const IDLE_LOOKS = 15 // looks in a row that find git asleep without work; it waits only for disks, which counts as work

export interface GitLimits {
  readonly mostMs: number
  readonly lookMs: number
}

export interface GitInput {
  readonly stdin?: Uint8Array
  /** The exit code for "none of them", which is no failure. */
  readonly none?: number
  /** Variables beside those that keep git harmless. */
  readonly env?: Readonly<Record<string, string>>
}

/** Variables and options that keep git from running anything of a repository (git(1), git-config(1)). */
export function safeGit(home: string): { readonly options: string[]; readonly env: Record<string, string> } {
  return {
    options: [
      ...['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.sshCommand=false'],
      // If root invokes coop, the repository belongs to another user.
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

/** The work of a process so far: clock ticks of its threads, and whether all of them sleep. */
function workOf(pid: number): { readonly ticks: string; readonly asleep: boolean } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { ticks: `${fields[11]} ${fields[12]}`, asleep: /^S+$/.test(statesOf(pid)) }
  } catch {
    return { ticks: '', asleep: false } // it has ended
  }
}

/** Calls `end` with a reason if the process stops working or takes too long. Returns a function to stop the watch. */
function watch(pid: number, { mostMs, lookMs }: GitLimits, end: (why: string) => void): () => void {
  const began = performance.now()
  let ticks = ''
  let idle = 0
  const timer = setInterval(() => {
    const now = workOf(pid)
    idle = now.asleep && now.ticks === ticks ? idle + 1 : 0
    ticks = now.ticks
    if (idle >= IDLE_LOOKS) end('waits for something')
    else if (performance.now() - began > mostMs)
      end(`did not finish within ${Math.round(mostMs / 1000)} seconds`)
  }, lookMs)
  return () => clearInterval(timer)
}

/**
 * Starts git for the repository of a folder, for output that is read as it comes; the caller ends it. `folder` is a
 * descriptor. Raises E_WORKSPACE.
 */
export function startGit(
  folder: number,
  home: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Bun.Subprocess<'pipe', 'pipe', 'pipe'> {
  const git = findSystemProgram('git')
  if (!git)
    throw new CoopError('E_WORKSPACE', 'git is not installed, but the files of a repository need it', {
      hint: 'apt-get install git',
    })
  const safe = safeGit(home)
  return Bun.spawn([git, ...safe.options, ...args], {
    cwd: `/proc/${process.pid}/fd/${folder}`,
    env: { ...safe.env, ...env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

/** The output of git for the repository of a folder. Raises E_WORKSPACE; an aborted `signal` ends git. */
export async function runGit(
  folder: string,
  home: string,
  args: readonly string[],
  signal?: AbortSignal,
  limits: GitLimits = { mostMs: MOST_MS, lookMs: LOOK_MS },
  input: GitInput = {},
): Promise<Buffer> {
  const git = findSystemProgram('git')
  if (!git)
    throw new CoopError('E_WORKSPACE', 'git is not installed, but the files of a repository need it', {
      hint: 'install git, or leave --workspace out',
    })
  signal?.throwIfAborted()
  const { options, env } = safeGit(home)
  // By descriptor, so that a link swapped in for the folder is not followed.
  const dir = openReal(pathBytes(folder), k.O_PATH | abi.O_DIRECTORY)
  let ended: string | undefined
  try {
    const child = Bun.spawn([git, ...options, ...args], {
      cwd: `/proc/${process.pid}/fd/${dir}`,
      env: { ...env, ...input.env },
      stdin: input.stdin ?? 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      maxBuffer: MAX_OUTPUT,
    })
    const kill = (): void => child.kill('SIGKILL')
    const unwatch = watch(child.pid, limits, (why) => {
      ended ??= why
      kill()
    })
    signal?.addEventListener('abort', kill)
    try {
      const [out, said] = await Promise.all([
        new Response(child.stdout).bytes(),
        new Response(child.stderr).text(),
      ])
      const code = await child.exited
      signal?.throwIfAborted()
      if (ended !== undefined) throw stuck(folder, ended)
      if (code === 0 || code === input.none) return Buffer.from(out)
      throw new CoopError(
        'E_WORKSPACE',
        `git cannot read the repository ${folder}: ${said.trim().slice(0, 300)}`,
        { hint: 'look for the cause with git status, or leave --workspace out' },
      )
    } finally {
      unwatch()
      signal?.removeEventListener('abort', kill)
    }
  } finally {
    closeDescriptor(dir)
  }
}

const stuck = (folder: string, why: string): CoopError =>
  new CoopError('E_WORKSPACE', `git ${why} in the repository ${folder} and was stopped`, {
    hint: 'look for a fifo in the place of a file that git reads, such as .gitignore: find . -type p; or leave --workspace out',
  })
