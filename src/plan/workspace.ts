/** The workspace: the host folder that a box works on. */
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs'
import { normalize } from 'node:path'
import { CoopError } from '../core/errors.ts'
import type { Paths } from '../core/paths.ts'
import { placeOf, resolvedPath } from '../host/host-place.ts'
import type { Source } from '../sandbox/plan.ts'
import { homesOf, type SensitiveFacts, workspaceRefusal } from '../sandbox/sensitive.ts'
import { workspaceHint } from './kept-groups.ts'

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Returns the facts that mounts are checked against. */
export function sensitiveFacts(home: string, paths: Paths): SensitiveFacts {
  const state = [paths.configDir, paths.dataDir, paths.cacheDir, paths.runtimeDir].map(resolved)
  return { home: resolved(home), homes: homesOf(passwd()), state }
}

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8')
  } catch {
    return '' // homes below /home are refused anyway
  }
}

/** Returns the workspace as a source. `writable`: places that boxes write. Raises E_WORKSPACE with the reason. */
export function workspaceSource(path: string, facts: SensitiveFacts, writable: readonly string[]): Source {
  let real: string
  try {
    real = resolvedPath(path, writable, 'E_WORKSPACE')
    if (!statSync(real).isDirectory()) {
      throw new CoopError('E_WORKSPACE', `${path} is not a folder`, { hint: 'name a folder: coop -w DIR' })
    }
    accessSync(real, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    if (error instanceof CoopError) throw error
    const { code } = error as { code?: string }
    if (code === 'ENAMETOOLONG')
      throw new CoopError('E_WORKSPACE', 'the path of the workspace is too long', {
        hint: 'use a path of at most 4,095 bytes, with names of at most 255 bytes',
        cause: error,
      })
    const gone = code === 'ENOENT'
    throw new CoopError(
      'E_WORKSPACE',
      gone ? `the workspace ${path} does not exist` : `you cannot write to the workspace ${path}`,
      {
        hint: gone ? 'cd into a folder that exists, or name one: coop -w DIR' : workspaceHint(path),
        cause: error,
      },
    )
  }
  const reason = workspaceRefusal(real, facts)
  if (reason) {
    throw new CoopError('E_WORKSPACE', `${real} cannot be a workspace: ${reason}`, {
      hint: 'make a folder for the project and start coop there',
    })
  }
  const place = placeOf(real, writable, 'E_WORKSPACE')
  if (place?.kind === 'folder' && place.source.path === real) return place.source
  throw new CoopError('E_WORKSPACE', `the workspace ${path} was replaced while coop was looking at it`, {
    hint: 'try again',
  })
}

/**
 * Refuses a current folder that was reached by a link which a box made. A shell that followed a link keeps the path it
 * took in PWD; with such a link the box would have chosen the workspace. Raises E_WORKSPACE.
 */
export function checkWayHere(pwd: string | undefined, workspace: string, writable: readonly string[]): void {
  if (!pwd?.startsWith('/') || pwd === workspace || resolved(pwd) !== workspace) return
  resolvedPath(pwd, writable, 'E_WORKSPACE')
}

/** The caller's own paths of the workspace, through links: a path of theirs means the same folder in the box. */
export function callersWays(workspace: string, pwd: string | undefined): readonly string[] {
  const real = resolved(workspace)
  const ways = [workspace, pwd ?? ''].filter((path) => path.startsWith('/')).map(normalize)
  return ways.filter((path) => path !== real && resolved(path) === real)
}
