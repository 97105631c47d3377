/**
 * Which package manager has installed a program. Its files are its own: a file that it does not know would be put back at
 * the next upgrade of the system, or make that fail.
 */
import { CoopError } from '../core/errors.ts'
import { findSystemProgram, SYSTEM_PATH } from '../host/programs.ts'

const ASK_MS = 10_000 // rpm waits for a lock of its database

/** A package manager, and the command that updates the package. */
export interface Owner {
  readonly name: string
  readonly command: string
}

/** Runs a program; returns its output, undefined if it fails or is not there. */
export type Run = (name: string, words: readonly string[]) => string | undefined

function run(name: string, words: readonly string[]): string | undefined {
  const program = findSystemProgram(name)
  if (program === undefined) return undefined
  const env = { PATH: SYSTEM_PATH, LC_ALL: 'C' }
  const options = {
    cwd: '/',
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    timeout: ASK_MS,
  } as const
  const { exitCode, stdout } = Bun.spawnSync([program, ...words], options)
  return exitCode === 0 ? stdout.toString() : undefined
}

/** Returns the owner of a file, by its real path; undefined if it is nobody's but the user's. */
export function ownerOf(path: string, ask: Run = run): Owner | undefined {
  return byPath(path) ?? (isSystems(path) ? bySystem(path, ask) : undefined)
}

/** Managers whose folders have a form of their own. */
function byPath(path: string): Owner | undefined {
  const npm = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
  if (npm !== undefined) return { name: 'npm', command: `npm install -g ${npm}@latest` }
  if (path.startsWith('/nix/store/')) return { name: 'Nix', command: 'nix profile upgrade coop' }
  if (path.startsWith('/gnu/store/')) return { name: 'Guix', command: 'guix upgrade coop' }
  const brew = /\/Cellar\/([^/]+)\//.exec(path)?.[1]
  if (brew !== undefined) return { name: 'Homebrew', command: `brew upgrade ${brew}` }
  const snap = /^\/snap\/([^/]+)\//.exec(path)?.[1]
  if (snap !== undefined) return { name: 'snap', command: `sudo snap refresh ${snap}` }
  return undefined
}

/** Folders of packages. `/usr/local` is the administrator's own (FHS 4.9). */
const isSystems = (path: string): boolean =>
  /^\/(?:usr|opt|s?bin)\//.test(path) && !path.startsWith('/usr/local/')

function bySystem(path: string, ask: Run): Owner | undefined {
  // A package may know the file by the name that it had before /bin and /usr/bin became one.
  const names = path.startsWith('/usr/') ? [path, path.slice('/usr'.length)] : [path]
  for (const name of names) {
    const deb = /^([a-z0-9][a-z0-9+.-]*)(?::\S+)?(?:,.*)?: /m.exec(ask('dpkg-query', ['-S', name]) ?? '')?.[1]
    if (deb !== undefined) return { name: 'dpkg', command: `sudo apt-get install --only-upgrade ${deb}` }
    const rpm = /^(\S+)$/m.exec(ask('rpm', ['-qf', '--queryformat', '%{NAME}\\n', name]) ?? '')?.[1]
    if (rpm !== undefined) return { name: 'rpm', command: rpmCommand(rpm, ask) }
    const apk = / is owned by (\S+)-[^-\s]+-r\d+\s*$/m.exec(
      ask('apk', ['info', '--who-owns', name]) ?? '',
    )?.[1]
    if (apk !== undefined) return { name: 'apk', command: `apk upgrade ${apk}` }
    const arch = /^(\S+)$/m.exec(ask('pacman', ['-Qoq', name]) ?? '')?.[1]
    if (arch !== undefined) return { name: 'pacman', command: `sudo pacman -Syu ${arch}` }
  }
  return undefined
}

function rpmCommand(name: string, ask: Run): string {
  for (const tool of ['dnf', 'zypper', 'yum']) {
    if (ask(tool, ['--version']) === undefined) continue
    return `sudo ${tool} ${tool === 'zypper' ? 'update' : 'upgrade'} ${name}`
  }
  return `sudo rpm --upgrade ${name}`
}

/** Raises E_RELEASE if a package manager has installed the program. */
export function checkOwner(path: string, ask?: Run): void {
  const owner = ownerOf(path, ask)
  if (owner === undefined) return
  throw new CoopError('E_RELEASE', `${owner.name} has installed ${path}, so coop does not replace it`, {
    hint: owner.command,
  })
}
