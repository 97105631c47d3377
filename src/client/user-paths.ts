/** The calling user's folders. */
import { type Paths, resolvePaths } from '../core/paths.ts'

function fromEnvironment(): Paths {
  // The same as os.homedir(), but node:os is not loaded when HOME is set.
  const home = process.env.HOME || (require('node:os') as typeof import('node:os')).homedir()
  return resolvePaths(process.env, home)
}

let known: { -readonly [K in keyof Paths]: Paths[K] } | undefined

/**
 * The same object each time. Its runtime folder is the one of the environment until `moveTo` names another, which holds for
 * everything that this process then connects to.
 */
export function userPaths(): Paths {
  known ??= { ...fromEnvironment() }
  return known
}

/** The runtime folder of the environment; undefined when the user has named one, which nothing else may replace. */
export function defaultRuntimeDir(): string | undefined {
  return process.env.COOP_RUNTIME_DIR ? undefined : fromEnvironment().runtimeDir
}

/** Makes another folder the runtime folder. Returns whether it was not yet. */
export function moveTo(runtimeDir: string): boolean {
  const paths = userPaths()
  if (!known || paths.runtimeDir === runtimeDir) return false
  known.runtimeDir = runtimeDir
  return true
}
