/** Where coop keeps things. Every path of coop's own is built here and nowhere else. */
import { CoopError } from './errors.ts'
import { isAbsolute, join, normalize } from './posix-path.ts'

/** Longest box name; it is part of socket paths, which the kernel limits. */
export const MAX_BOX_NAME = 40

/** The host's environment, as `process.env` has it. */
export type HostEnv = Readonly<Record<string, string | undefined>>

export interface Paths {
  /** `default.toml`, `keys/` */
  readonly configDir: string
  /** images, volumes, box uppers, manifests */
  readonly dataDir: string
  /** downloaded layers */
  readonly cacheDir: string
  /** sockets, rings, locks */
  readonly runtimeDir: string
  readonly logsDir: string
}

/** Longest path of a unix socket: `sun_path` is 108 bytes with the closing NUL (unix(7)). */
export const MAX_SOCKET_PATH = 107

/**
 * The state folders for a user, by the XDG base directory specification and `COOP_*_DIR`. Pure: nothing is
 * made or looked at. Raises E_CONFIG for an override that is not absolute.
 */
export function resolvePaths(env: HostEnv, home: string): Paths {
  if (!isAbsolute(home)) {
    throw new CoopError(
      'E_CONFIG',
      `The home folder must be an absolute path, not ${JSON.stringify(home)}.`,
      {
        hint: 'Set HOME to your home folder.',
      },
    )
  }
  const dataDir =
    override(env, 'COOP_DATA_DIR') ?? join(xdg(env, 'XDG_DATA_HOME') ?? join(home, '.local/share'), 'coop')
  const xdgRuntime = xdg(env, 'XDG_RUNTIME_DIR')
  return {
    configDir:
      override(env, 'COOP_CONFIG_DIR') ?? join(xdg(env, 'XDG_CONFIG_HOME') ?? join(home, '.config'), 'coop'),
    dataDir,
    cacheDir:
      override(env, 'COOP_CACHE_DIR') ?? join(xdg(env, 'XDG_CACHE_HOME') ?? join(home, '.cache'), 'coop'),
    runtimeDir:
      override(env, 'COOP_RUNTIME_DIR') ??
      (xdgRuntime === undefined ? join(dataDir, 'run') : join(xdgRuntime, 'coop')),
    logsDir: join(dataDir, 'logs'),
  }
}

/** "All paths set in these environment variables must be absolute; a relative one is ignored" (XDG basedir). */
function xdg(env: HostEnv, name: string): string | undefined {
  const value = env[name]
  return value !== undefined && isAbsolute(value) ? value : undefined
}

function override(env: HostEnv, name: string): string | undefined {
  const value = env[name]
  if (value === undefined || value === '') return undefined
  if (!isAbsolute(value)) {
    // A relative one would mean another folder for the daemon than for the client.
    throw new CoopError('E_CONFIG', `${name} must be an absolute path, not ${JSON.stringify(value)}.`, {
      hint: `${name}="$PWD/${normalize(value)}"`,
    })
  }
  return normalize(value)
}

/** Raises E_RUNTIME_DIR when the longest socket path of any box would not fit into `sun_path`. */
export function checkSocketPaths(paths: Paths): void {
  const longest = Buffer.byteLength(initSocket(paths, 'x'.repeat(MAX_BOX_NAME)))
  if (longest <= MAX_SOCKET_PATH) return
  const room = MAX_SOCKET_PATH - (longest - Buffer.byteLength(paths.runtimeDir))
  throw new CoopError(
    'E_RUNTIME_DIR',
    `The runtime folder ${paths.runtimeDir} is too long for unix sockets: at most ${room} bytes fit.`,
    { hint: 'Set COOP_RUNTIME_DIR to a shorter path on a local file system.' },
  )
}

/** The name of a project's configuration file. */
export const PROJECT_FILE = 'coop.toml'

/** The user's own settings, below the project's coop.toml. */
export const globalConfigFile = (paths: Paths): string => join(paths.configDir, 'default.toml')

/** What a box keeps on disk. `name` must be a box name (`names.ts`). */
export const boxesDir = (paths: Paths): string => join(paths.dataDir, 'boxes')
export const boxDir = (paths: Paths, name: string): string => join(boxesDir(paths), name)
export const manifestFile = (paths: Paths, name: string): string => join(boxDir(paths, name), 'box.json')
/** Which process the box lives in, in a form that every release reads. */
export const initRecordFile = (paths: Paths, name: string): string => join(boxDir(paths, name), 'init')
/** What the agent of a stopped box has put out last. */
export const lastOutputFile = (paths: Paths, name: string): string =>
  join(boxDir(paths, name), 'agent-output')
/** The same as 0.1.0 kept it. */
export const bareOutputFile = (paths: Paths, name: string): string => join(boxDir(paths, name), 'last-output')
/** The writable layer of a box; `work` is overlayfs's scratch folder and must be on the same file system. */
export const upperDir = (paths: Paths, name: string): string => join(boxDir(paths, name), 'upper')
export const workDir = (paths: Paths, name: string): string => join(boxDir(paths, name), 'work')

/** What people have accepted of the configurations of projects. */
export const trustFile = (paths: Paths): string => join(paths.dataDir, 'trust.json')

export const volumesDir = (paths: Paths): string => join(paths.dataDir, 'volumes')
/** Marks a volume that has not got yet what the image has at its place. */
export const unseededFile = (paths: Paths, volume: string): string => join(paths.dataDir, 'unseeded', volume)
/** Where that is put together. */
export const seedingDir = (paths: Paths): string => join(paths.dataDir, 'seeding')
export const imagesDir = (paths: Paths): string => join(paths.dataDir, 'images')

/** Copies of boxes' files, which outlive them; both must be names by the rule for boxes. */
export const snapshotsDir = (paths: Paths): string => join(paths.dataDir, 'snapshots')
export const boxSnapshotsDir = (paths: Paths, box: string): string => join(snapshotsDir(paths), box)
export const snapshotDir = (paths: Paths, box: string, name: string): string =>
  join(boxSnapshotsDir(paths, box), name)

/** What a box needs while it runs: its init's socket and the rings of its terminals. */
export const boxRuntimeDir = (paths: Paths, name: string): string => join(paths.runtimeDir, 'boxes', name)
export const ringFile = (boxRuntime: string, pty: number): string => join(boxRuntime, `pty-${pty}.ring`)
export const initSocket = (paths: Paths, name: string): string =>
  join(boxRuntimeDir(paths, name), 'init.sock')

/** Where clients reach the daemon. */
export const daemonSocket = (paths: Paths): string => join(paths.runtimeDir, 'daemon.sock')
/** Held by the living daemon: one at a time. */
export const daemonLock = (paths: Paths): string => join(paths.runtimeDir, 'daemon.lock')
/** Held by the daemon that the boxes of a data folder belong to; says where that daemon is reached. */
export const stateLock = (paths: Paths): string => join(paths.dataDir, 'daemon.lock')
/** Held by the client that is starting a daemon, so that two clients do not start two. */
export const startLock = (paths: Paths): string => join(paths.runtimeDir, 'start.lock')
/** Where descriptors are handed over with SCM_RIGHTS. */
export const descriptorSocket = (paths: Paths): string => join(paths.runtimeDir, 'fds.sock')
export const daemonLog = (paths: Paths): string => join(paths.logsDir, 'daemon.log')
