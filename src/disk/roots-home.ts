/**
 * Root with the HOME of another user, as `sudo -E` and `su` without `-` leave it. Folders that root makes there are closed to
 * their owner, whose own coop then fails.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const FOLDERS = ['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR']

/**
 * Whether root would write into a folder of somebody else, or into one below it: the owner of a folder around can put
 * another in its place, and coop trusts its own state.
 */
function isOthers(path: string | undefined): boolean {
  if (!path?.startsWith('/')) return false
  for (let at = path; at !== '/'; at = dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false })
    if (stat && stat.uid !== 0) return true
  }
  return false
}

/** The home of uid 0 in the text of a password file. */
export function homeOfRoot(passwd: string): string {
  for (const line of passwd.split('\n')) {
    const [, , uid, , , home] = line.split(':')
    if (uid === '0' && home?.startsWith('/')) return home
  }
  return '/root'
}

/** Makes `env` that of root itself, for a process of root. COOP_* variables are an explicit choice, and stay. */
export function takeRootsHome(env: NodeJS.ProcessEnv): void {
  for (const name of FOLDERS) if (isOthers(env[name])) delete env[name]
  if (isOthers(env.HOME)) env.HOME = homeOfRoot(readFileSync('/etc/passwd', 'utf8'))
}
