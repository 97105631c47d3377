/**
 * Root with the HOME of another user, as `sudo -E` and `su` without `-` leave it. Folders that root makes there are closed to
 * their owner, whose own coop then fails.
 */
import { join, normalize } from '../core/posix-path.ts'

const FOLDERS = ['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR']

/**
 * Whether root would write into a folder of somebody else, or into one below it: the owner of a folder around can put
 * another in its place, and coop trusts its own state. A folder that does not tell its owner (FUSE of another user)
 * counts as somebody else's.
 */
async function isOthers(path: string | undefined): Promise<boolean> {
  if (!path?.startsWith('/')) return false
  const around: string[] = []
  for (let at = normalize(path); at !== '/'; at = join(at, '..')) around.push(at)
  return (await Promise.all(around.map(hasOtherOwner))).includes(true)
}

/** `Bun.file` is there already; loading `node:fs` would take every command of root some 3 ms. */
async function hasOtherOwner(path: string): Promise<boolean> {
  try {
    return (await Bun.file(path).stat()).uid !== 0
  } catch (error) {
    const { code } = error as { code?: unknown }
    return code !== 'ENOENT' && code !== 'ENOTDIR'
  }
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
export async function takeRootsHome(env: NodeJS.ProcessEnv): Promise<void> {
  const given = FOLDERS.filter((name) => env[name])
  if (env.HOME === '/root' && given.length === 0) return // as nearly always
  const others = await Promise.all(given.map((name) => isOthers(env[name])))
  for (const [index, name] of given.entries()) if (others[index]) delete env[name]
  if (await isOthers(env.HOME)) env.HOME = homeOfRoot(await Bun.file('/etc/passwd').text())
}
