/** Shared by all scripts: finds the repository and its Bun, and runs programs. */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The executable that the scripts build and test. */
export const coopBinary = join(root, 'dist', 'coop')

/** A failure whose message says everything: its stack is not printed. */
export class ScriptError extends Error {}

const PLACEHOLDER_BYTES = 1 << 20 // the install script replaces a small file that only prints a complaint

/**
 * Returns this platform's Bun inside node_modules. It is in the platform's package, or in `bin/` of the `bun` package
 * when npm ran that package's install script, which moves it there.
 */
export function bunPath() {
  const folder = join(root, 'node_modules', '@oven')
  const libc = isMusl() ? '-musl' : ''
  const base = `bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`
  // "-baseline" is for x64 processors without AVX2. npm may install both, and only one of them runs on such a
  // processor.
  const names =
    process.arch === 'x64' && !hasAvx2()
      ? [`${base}${libc}-baseline`, `${base}${libc}`]
      : [`${base}${libc}`, `${base}${libc}-baseline`]
  for (const name of names) {
    const file = join(folder, name, 'bin', 'bun')
    if (existsSync(file)) return file
  }
  const moved = join(root, 'node_modules', 'bun', 'bin', 'bun.exe')
  if ((statSync(moved, { throwIfNoEntry: false })?.size ?? 0) > PLACEHOLDER_BYTES) return moved
  const found = existsSync(folder) ? readdirSync(folder).join(', ') : 'nothing'
  throw new ScriptError(
    `No Bun for this machine: looked for ${names.join(' or ')} in node_modules/@oven, found ${found}. Run \`npm ci\`.`,
  )
}

/** Returns whether this is a musl system; node's report names the glibc version if there is one. */
export function isMusl() {
  if (process.platform !== 'linux') return false
  process.report.excludeNetwork = true // otherwise it looks up the name of every open connection
  const report = /** @type {{ header: Record<string, unknown> }} */ (process.report.getReport())
  return report.header.glibcVersionRuntime === undefined
}

/** Returns this machine's target, in the words of src/release/manifest.ts. */
export const ownTarget = () => `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`

function hasAvx2() {
  try {
    return /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    return true
  }
}

/**
 * Runs a program to its end. Its output goes to the terminal; with `capture` it is returned instead.
 * Raises ScriptError when it cannot be started or, unless `allowFailure`, when it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, capture?: boolean, allowFailure?: boolean }} [options]
 */
export function run(command, args, options = {}) {
  const { capture = false, allowFailure = false, cwd = root, env = process.env } = options
  const result = spawnSync(command, [...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: capture ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    maxBuffer: 256 << 20,
  })
  const words = `${command} ${args.join(' ')}`
  if (result.error) throw new ScriptError(`Could not run ${words}: ${result.error.message}`)
  const code = result.status ?? 128 + 15
  if (code !== 0 && !allowFailure) {
    if (capture) process.stderr.write(`${result.stdout}${result.stderr}`)
    throw new ScriptError(`${words} ended with ${result.signal ?? code}.`)
  }
  return { code, stdout: result.stdout ?? '', stderr: result.stderr ?? '' }
}

/**
 * Returns the time of the newest file at or below the paths, in ms; 0 when there is none. Folders count, too, so that a
 * removed file is noticed.
 *
 * @param {readonly string[]} paths
 */
export function newest(paths) {
  let latest = 0
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat) continue
    latest = Math.max(latest, stat.mtimeMs)
    if (stat.isDirectory())
      latest = Math.max(latest, newest(readdirSync(path).map((name) => join(path, name))))
  }
  return latest
}

/** Installs the dependencies if they are missing or older than the lock file; otherwise prints nothing. */
export function ensureNodeModules() {
  const modules = join(root, 'node_modules')
  // A link leads to the packages of another folder. `npm ci` would delete them there.
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return
  // npm rewrites this file at the end of every install.
  const installed = newest([join(modules, '.package-lock.json')])
  if (installed >= newest([join(root, 'package-lock.json')])) return
  process.stderr.write('Installing dependencies (npm ci) ...\n')
  const { code, stdout, stderr } = run('npm', ['ci', '--no-audit', '--no-fund'], {
    capture: true,
    allowFailure: true,
  })
  if (code !== 0) throw new ScriptError(`npm ci failed:\n${stdout}${stderr}`)
}

/**
 * Runs a script's main function; a ScriptError becomes one line and exit code 1.
 *
 * @param {() => number | Promise<number>} main returns the exit code
 */
export async function script(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}
