/** The calling user's folders. */
import { type Paths, resolvePaths } from '../core/paths.ts'

export function userPaths(): Paths {
  // The same as os.homedir(), but node:os is not loaded when HOME is set.
  const home = process.env.HOME || (require('node:os') as typeof import('node:os')).homedir()
  return resolvePaths(process.env, home)
}
