/**
 * The daily look for a newer release, for users who have set `[update] check = true`. It runs in a process of its own
 * after an interactive `coop` has ended, so nobody waits for it; the next `coop` tells its result.
 */
import { readFileSync } from 'node:fs'
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../core/errors.ts'
import { globalConfigFile, type Paths } from '../core/paths.ts'

/** The hidden command that looks. */
const COMMAND = '--daily-check'
const DAY_MS = 24 * 3_600_000

/** Says in one line that a newer release is there, and looks for one when the last look is a day ago. */
export async function tellOfReleases(paths: Paths, say: (text: string) => void): Promise<void> {
  if (!mentionsUpdates(paths)) return
  const { readUserLayer } = await import('../config/load.ts')
  const { relationTo } = await import('./check.ts')
  const { readSeen, writeSeen } = await import('./seen.ts')
  const { source } = await import('./update.ts')
  try {
    if (readUserLayer(paths.configDir).update?.check !== true) return
    const seen = readSeen(paths)
    if (seen.newest !== '' && relationTo(seen.newest) === 'newer')
      say(`coop ${seen.newest} is there, and this is older; install it: coop update`)
    if (isRecent(seen.checked)) return
    try {
      source()
    } catch (error) {
      writeSeen(paths, { ...seen, checked: Date.now() })
      throw error
    }
    const options = { cwd: '/', stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', detached: true } as const
    Bun.spawn(['/proc/self/exe', COMMAND], { ...options, argv0: 'coop', env: process.env }).unref()
  } catch (error) {
    if (!(error instanceof CoopError)) throw error
    say(`update.check is on, but ${error.message}${error.hint ? ` (${error.hint})` : ''}`)
  }
}

/** Most users have not set it: then the parser is not even loaded. */
function mentionsUpdates(paths: Paths): boolean {
  try {
    return readFileSync(globalConfigFile(paths), 'utf8').includes('update')
  } catch {
    return false
  }
}

/** A clock that was set back must not stop the looks for years. */
const isRecent = (checked: number): boolean => Math.abs(Date.now() - checked) < DAY_MS

/** The process that looks. It keeps its result for the next `coop`, and fails in silence: the next day has another. */
export async function lookForReleases(): Promise<void> {
  const paths = userPaths()
  const { lockUpdates } = await import('./folder.ts')
  const { readSeen, writeSeen } = await import('./seen.ts')
  const { check } = await import('./update.ts')
  try {
    using lock = lockUpdates(paths)
    const seen = readSeen(paths)
    if (!lock || isRecent(seen.checked)) return // another process looks, or updates
    writeSeen(paths, { ...seen, checked: Date.now() })
    await check(paths)
  } catch {
    // No network, no space, or a server that is not believed: `coop update --check` says which.
  }
}
