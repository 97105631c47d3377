/**
 * The caches of package managers: one folder, kept for each workspace, that `~/.cache` of the box is. Without it each
 * new box would download everything again, and pnpm would put its store into the repository: home and workspace are
 * different mounts, and it wants the store on the mount of the project.
 */
import type { Config } from '../config/config.ts'
import type { Paths } from '../core/paths.ts'
import { sourceOf } from '../host/facts.ts'
import { type ExtraMount, homeOf } from '../sandbox/compose.ts'
import { isWithin } from '../sandbox/sensitive.ts'
import { persistentPath } from '../store/storage.ts'
import { placeInBox } from '../trust/places.ts'
import { futureFolder, type Missing } from './missing.ts'

const FOLDER = '.cache'

/**
 * Variables that move a cache below `~/.cache`, by the place where it is by default. pip, uv, go's builds, deno and
 * yarn 1 keep theirs there anyway. `$` is that folder.
 */
const VARIABLES: readonly (readonly [usual: string, name: string, value: string])[] = [
  ['.npm', 'npm_config_cache', '$/npm'],
  ['.local/share/pnpm', 'pnpm_config_store_dir', '$/pnpm-store'], // pnpm 11 and newer
  ['.yarn', 'YARN_GLOBAL_FOLDER', '$/yarn-berry'],
  ['.bun', 'BUN_INSTALL_CACHE_DIR', '$/bun'],
  ['.cargo', 'CARGO_HOME', '$/cargo'],
  ['go', 'GOMODCACHE', '$/go-mod'],
  ['.m2', 'MAVEN_OPTS', '-Dmaven.repo.local=$/maven'],
  ['.gradle', 'GRADLE_USER_HOME', '$/gradle'],
]

export interface Caches {
  readonly mounts: readonly ExtraMount[]
  /** Weaker than the image's own variables. */
  readonly environment: Readonly<Record<string, string>>
  readonly homeFiles: Readonly<Record<string, string>>
  readonly missing: readonly Missing[]
}

const NONE: Caches = { mounts: [], environment: {}, homeFiles: {}, missing: [] }

/** Plans the caches. `workspaceKey` names the folders that are kept for the workspace. */
export function planCaches(config: Config, workspaceKey: string, paths: Paths): Caches {
  const { caches, mounts } = config.sandbox
  if (caches === 'none') return NONE
  const home = homeOf(config)
  const at = `${home}/${FOLDER}`
  // A mount of the user's is where they want a cache to be.
  const taken = mounts.map((mount) => placeInBox(mount.target, home).replace(/^~(?=\/|$)/, home))
  const isFree = (path: string): boolean =>
    !taken.some((target) => isWithin(target, path) || isWithin(path, target))
  const key = caches === 'shared' ? 'cache' : workspaceKey
  const folder = caches === 'shared' ? 'shared' : FOLDER
  const path = persistentPath(paths, key, folder)
  const source = sourceOf(path, 'box')
  const isUsers = config.session.persist.includes(FOLDER) || taken.some((target) => isWithin(at, target))
  const environment = VARIABLES.filter(([usual]) => isFree(`${home}/${usual}`)).map(([, name, value]) => [
    name,
    value.replace('$', at),
  ])
  return {
    mounts: isUsers ? [] : [{ source: source ?? futureFolder(path), target: at, readonly: false }],
    environment: {
      ...Object.fromEntries(environment),
      CARGO_INSTALL_ROOT: `${home}/.local`, // programs are no cache, and this folder is on PATH
    },
    // For pnpm 10 and older, which read no variable of their own, and npm warns of one that it does not know.
    homeFiles: { '.config/pnpm/rc': `store-dir=${at}/pnpm-store\n` },
    missing: source || isUsers ? [] : [{ make: 'folder', key, folder, seed: () => [] }],
  }
}
