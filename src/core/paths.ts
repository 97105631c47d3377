/** Coop's folders and files. All of coop's own paths are built here and nowhere else. */
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
 * The state folders of a user, by the XDG base directory specification and `COOP_*_DIR`. Pure: makes and checks
 * nothing. Raises E_CONFIG for an override that is not absolute.
 */
export function resolvePaths(env: HostEnv, home: string): Paths {
  if (!isAbsolute(home)) {
    throw new CoopError('E_CONFIG', `the home folder must be an absolute path, not ${JSON.stringify(home)}`, {
      hint: 'set HOME to your home folder',
    })
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
    // A relative path would mean different folders for the daemon and the client.
    throw new CoopError('E_CONFIG', `${name} must be an absolute path, not ${JSON.stringify(value)}`, {
      hint: `${name}="$PWD/${normalize(value)}"`,
    })
  }
  return normalize(value)
}

/** Raises E_RUNTIME_DIR if the longest socket path of any box would not fit into `sun_path`. */
export function checkSocketPaths(paths: Paths): void {
  const longest = Buffer.byteLength(initSocket(paths, 'x'.repeat(MAX_BOX_NAME)))
  if (longest <= MAX_SOCKET_PATH) return
  const room = MAX_SOCKET_PATH - (longest - Buffer.byteLength(paths.runtimeDir))
  throw new CoopError(
    'E_RUNTIME_DIR',
    `the runtime folder ${paths.runtimeDir} is too long for unix sockets: at most ${room} bytes fit`,
    { hint: 'set COOP_RUNTIME_DIR to a shorter path on a local file system' },
  )
}

/** The name of a project's configuration file. */
export const PROJECT_FILE = 'coop.toml'

/** The user's own settings, below the project's coop.toml. */
export const globalConfigFile = (paths: Paths): string => join(paths.configDir, 'default.toml')

/** The folders and files of a box on disk. `name` must be a box name (`names.ts`). */
export const boxesDir = (paths: Paths): string => join(paths.dataDir, 'boxes')
export const boxDir = (paths: Paths, name: string): string => join(boxesDir(paths), name)
export const manifestFile = (paths: Paths, name: string): string => join(boxDir(paths, name), 'box.json')
/** Names the box's init process, in a form that every release reads. */
export const initRecordFile = (paths: Paths, name: string): string => join(boxDir(paths, name), 'init')
/** The last output of a stopped box's agent. */
export const lastOutputFile = (paths: Paths, name: string): string =>
  join(boxDir(paths, name), 'agent-output')
/** The same file in the form of 0.1.0. */
export const bareOutputFile = (paths: Paths, name: string): string => join(boxDir(paths, name), 'last-output')
/** The writable layer of a box. `work` is overlayfs's scratch folder, which must be on the same file system. */
export const upperDir = (paths: Paths, name: string): string => join(boxDir(paths, name), 'upper')
export const workDir = (paths: Paths, name: string): string => join(boxDir(paths, name), 'work')

/** The parts of project configurations that people have accepted. */
export const trustFile = (paths: Paths): string => join(paths.dataDir, 'trust.json')

export const volumesDir = (paths: Paths): string => join(paths.dataDir, 'volumes')
/** Marks a volume that has not yet received the image's files of its mount point. */
export const unseededFile = (paths: Paths, volume: string): string => join(paths.dataDir, 'unseeded', volume)
/** The folder in which such volumes are filled. */
export const seedingDir = (paths: Paths): string => join(paths.dataDir, 'seeding')
/** Marks a folder of an agent's settings that a box without this agent has had; the file is empty, its time counts. */
export const strangersFile = (paths: Paths, volume: string): string =>
  join(paths.dataDir, 'strangers', volume)
export const imagesDir = (paths: Paths): string => join(paths.dataDir, 'images')

/** Copies of boxes' files, which outlive the boxes. Both names follow the rule for boxes. */
export const snapshotsDir = (paths: Paths): string => join(paths.dataDir, 'snapshots')
export const boxSnapshotsDir = (paths: Paths, box: string): string => join(snapshotsDir(paths), box)
export const snapshotDir = (paths: Paths, box: string, name: string): string =>
  join(boxSnapshotsDir(paths, box), name)

/** Files of a running box: its init's socket and the rings of its terminals. */
export const boxRuntimeDir = (paths: Paths, name: string): string => join(paths.runtimeDir, 'boxes', name)
export const ringFile = (boxRuntime: string, pty: number): string => join(boxRuntime, `pty-${pty}.ring`)
export const initSocket = (paths: Paths, name: string): string =>
  join(boxRuntimeDir(paths, name), 'init.sock')

/** The socket on which clients reach the daemon. */
export const daemonSocket = (paths: Paths): string => join(paths.runtimeDir, 'daemon.sock')
/** Held by the living daemon, so that there is one at a time. */
export const daemonLock = (paths: Paths): string => join(paths.runtimeDir, 'daemon.lock')
/** Held by the daemon that owns the boxes of a data folder; contains the address of that daemon. */
export const stateLock = (paths: Paths): string => join(paths.dataDir, 'daemon.lock')
/** Held by the client that is starting a daemon, so that two clients do not start two. */
export const startLock = (paths: Paths): string => join(paths.runtimeDir, 'start.lock')
/** The socket that passes descriptors with SCM_RIGHTS. */
export const descriptorSocket = (paths: Paths): string => join(paths.runtimeDir, 'fds.sock')
export const daemonLog = (paths: Paths): string => join(paths.logsDir, 'daemon.log')
