/**
 * `npm run build`: installs missing dependencies and compiles `src/main.ts` to `dist/coop`. It does nothing when no
 * input is newer than the executable; with `--force` it always builds.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  bunPath,
  coopBinary,
  ensureNodeModules,
  newest,
  ownTarget,
  root,
  run,
  ScriptError,
  script,
} from './bun.mjs'
import { bunOf } from './buns.mjs'
import { writeTable } from './table.mjs'

/**
 * The engine's message for a current folder that the user may not enter names the path as it was given, after it has
 * taken `..` out of it. No option makes it accept such a folder: it must change to one, and to change to another would lose
 * the caller's. Spaces that do not break lines, because it splits its options at others.
 */
const EXPLAINED =
  '/your current folder. You may not enter it: run coop in another one, after cd, or with sudo -iu USER'.replaceAll(
    ' ',
    '\u00a0',
  )

const INPUTS = [
  'src',
  'ffi',
  'web',
  'package.json',
  'bunfig.toml',
  'scripts/build.mjs',
  'scripts/buns.mjs',
  'scripts/table.mjs',
  'scripts/web.ts',
]

/**
 * Without these flags a compiled program loads `.env`, `bunfig.toml` (with its preload scripts), `tsconfig.json` and
 * `package.json` of the **current folder** before its own first line: a hostile repository would control the host
 * process. `test/escape/poisoned-folder.test.ts` proves that it cannot.
 */
export const HARDENING = [
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
  '--no-compile-autoload-tsconfig',
  '--no-compile-autoload-package-json',
]

/** The flags of `bun build` that make an executable of an entry point. */
export const COMPILE = [
  '--compile',
  '--target=bun',
  // `--bytecode` alone means CommonJS, which has no top-level await.
  '--format=esm',
  '--bytecode',
  // Chunks let a command load only the code it uses: one chunk would load every `node:` module at each start (3 ms).
  '--splitting',
  '--minify',
  // Function and class names stay, to keep stack traces in the daemon's log readable.
  '--keep-names',
  '--sourcemap=none',
  // Embedded files keep their paths as names (src/serve/assets.ts).
  '--asset-naming=[dir]/[name].[ext]',
  // The engine asks for the path of the current folder before coop's first line, and ends when the folder has been
  // deleted. With `--cwd` it goes to a folder first and may fail to learn its path. The kernel's link leads to the
  // current folder itself, deleted or not, so that nothing changes.
  `--compile-exec-argv=--cwd=${EXPLAINED}/../proc/self/cwd`,
  ...HARDENING,
]

export function isStale() {
  const built = newest([coopBinary])
  return built === 0 || newest(INPUTS.map((name) => join(root, name))) > built
}

/** Builds `dist/coop`, unless it is up to date; returns whether it did. */
export function build({ force = false } = {}) {
  writeTable()
  if (!force && !isStale()) return false
  compile(coopBinary)
  return true
}

/**
 * Builds `file`. Without options it is a coop of this checkout for this machine.
 *
 * @param {string} file
 * @param {{ version?: string, target?: string, bun?: string, trust?: Trust, source?: Source }} [options]
 *   `target` is one of src/release/manifest.ts; `bun` is that target's Bun, which becomes a part of the executable;
 *   `trust` replaces what package.json says about releases, for tests; `source` is read from git when it is left out.
 */
export function compile(file, options = {}) {
  const entry = join(root, 'src', 'main.ts')
  if (!existsSync(entry)) throw new ScriptError('There is no src/main.ts to build.')
  mkdirSync(dirname(file), { recursive: true })
  // Beside the file, and renamed when complete: a coop that starts meanwhile, or a running daemon, sees either the old
  // file or the new one. In a folder, because Bun keeps the file's name inside: two builds of one commit are equal.
  const folder = mkdtempSync(`${file}.`)
  const temporary = join(folder, 'coop')
  const started = new Date()
  try {
    const args = [
      'build',
      ...COMPILE,
      ...forTarget(options),
      ...defines(options),
      `--outfile=${temporary}`,
      entry,
      ...page(),
    ]
    const { code, stdout, stderr } = run(bunPath(), args, { capture: true, allowFailure: true })
    if (code !== 0) throw new ScriptError(`The build failed:\n${stderr}${stdout}`)
    inOnePiece(temporary)
    // The file gets the time when its sources were read: a source saved during the build makes it stale.
    utimesSync(temporary, started, started)
    renameSync(temporary, file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Bundles the page (scripts/web.ts) and returns its compressed files, which become a part of the executable. */
function page() {
  const { code, stdout, stderr } = run(bunPath(), [join(root, 'scripts', 'web.ts')], {
    capture: true,
    allowFailure: true,
  })
  if (code !== 0) throw new ScriptError(`The page could not be bundled:\n${stderr}${stdout}`)
  const folder = stdout.trim()
  const names = /** @type {string[]} */ (readdirSync(folder, { recursive: true }))
  return names
    .filter((name) => name.endsWith('.br'))
    .sort()
    .map((name) => join(folder, name))
}

/**
 * Writes a file again in one piece. The kernel caches a file in the pieces that it was written in, and maps each with
 * one page fault. Bun writes small pieces, which costs each start of coop 0.4 ms. Pieces that the kernel reads back
 * itself, after dropping the file from its cache, are even smaller: 1.5 ms.
 */
export function inOnePiece(file) {
  const { mode, atime, mtime } = statSync(file)
  const temporary = `${file}.whole.tmp`
  try {
    writeFileSync(temporary, readFileSync(file), { mode })
    utimesSync(temporary, atime, mtime)
    renameSync(temporary, file)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/**
 * The flags that build for another machine. The target is named even though `bun` is that machine's: Bun writes the
 * value of `process.arch` into the code, and would take that of the machine that builds.
 *
 * @param {Parameters<typeof compile>[1] & {}} options
 */
function forTarget({ target, bun }) {
  if (target === undefined || bun === undefined) return []
  return [`--target=bun-${target}`, `--compile-executable-path=${bun}`]
}

/** @typedef {{ releases: string, keys: readonly string[], revoked: readonly string[] }} Trust */
/** @typedef {{ commit: string, time: Date, dirty: boolean }} Source */

/**
 * Returns what package.json says about releases; raises a ScriptError when a key could never verify anything.
 *
 * @returns {Trust}
 */
export function releaseTrust() {
  return checkedTrust(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).coop)
}

/** @param {Trust} trust */
function checkedTrust({ releases, keys, revoked }) {
  const bad = (/** @type {string} */ what) => new ScriptError(`package.json, "coop": ${what}`)
  if (releases !== '' && !/^https?:\/\/[^\s'"\\$`]+[^\s'"\\$`/]$/.test(releases))
    throw bad('"releases" is an address without quotes, spaces and a slash at its end')
  if (keys.length > 2) throw bad('"keys" has at most two: the one that signs and the next one')
  for (const key of keys)
    if (Buffer.from(key, 'base64').length !== 32 || Buffer.from(key, 'base64').toString('base64') !== key)
      throw bad(`${key} is no raw Ed25519 key in base64`)
  for (const id of revoked) if (!/^[0-9a-f]{16}$/.test(id)) throw bad(`${id} in "revoked" is no id of a key`)
  return { releases, keys, revoked }
}

/**
 * The global constants of an executable: COOP_VERSION, COOP_COMMIT, COOP_DATE and COOP_TARGET (src/core/version.ts),
 * COOP_LIBC (ffi/libc.ts), COOP_RELEASES, COOP_KEYS and COOP_REVOKED (src/release/built-in.ts).
 *
 * @param {Parameters<typeof compile>[1] & {}} options
 */
function defines({ version = packageVersion(), target = ownTarget(), trust, source = gitSource() }) {
  const { releases, keys, revoked } = trust ? checkedTrust(trust) : releaseTrust()
  const arch = /-arm64\b/.test(target) ? 'aarch64' : 'x86_64'
  const values = {
    COOP_VERSION: version,
    COOP_COMMIT: source ? `${source.commit.slice(0, 12)}${source.dirty ? '-dirty' : ''}` : '',
    COOP_DATE: source ? source.time.toISOString().slice(0, 10) : '',
    COOP_TARGET: target,
    // The C library by the name that its loader knows.
    COOP_LIBC: target.endsWith('-musl') ? `libc.musl-${arch}.so.1` : 'libc.so.6',
    COOP_RELEASES: releases,
    COOP_KEYS: keys.join(' '),
    COOP_REVOKED: revoked.join(' '),
  }
  return Object.entries(values).map(([name, value]) => `--define=${name}=${JSON.stringify(value)}`)
}

export const packageVersion = () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version

/**
 * Returns the commit of this checkout, when it was made, and whether files differ from it; undefined outside a git
 * checkout: a source archive can be built, too. SOURCE_DATE_EPOCH (reproducible-builds.org) replaces the time.
 *
 * @returns {Source | undefined}
 */
export function gitSource() {
  if (!existsSync(join(root, '.git'))) return undefined
  const git = (/** @type {readonly string[]} */ ...args) =>
    // Without optional locks: a commit that is made meanwhile must not fail.
    run('git', ['--no-optional-locks', ...args], { capture: true, allowFailure: true })
  try {
    const { code, stdout } = git('log', '-1', '--format=%H %ct')
    if (code !== 0) return undefined
    const [commit = '', seconds] = stdout.trim().split(' ')
    const time = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? seconds) * 1000)
    return { commit, time, dirty: git('status', '--porcelain').stdout !== '' }
  } catch {
    return undefined // without git
  }
}

/**
 * `--release VERSION FILE` builds a coop of another version, for the tests of upgrades. `--keys`, `--revoked` (both
 * separated by commas) and `--releases` replace what package.json says; `--target` builds for another machine.
 *
 * @param {readonly string[]} args
 */
function buildRelease(args) {
  const option = (/** @type {string} */ name) =>
    args.includes(`--${name}`) ? args[args.indexOf(`--${name}`) + 1] : undefined
  const list = (/** @type {string} */ name) => option(name)?.split(',').filter(Boolean)
  const at = args.indexOf('--release')
  const [version, file] = args.slice(at + 1)
  if (!version || !file) throw new ScriptError('node scripts/build.mjs --release VERSION FILE')
  const trust = releaseTrust()
  const target = option('target') ?? ownTarget()
  compile(file, {
    version,
    target,
    // Also for this machine's own target if it is named: a release has the same bytes wherever it is built.
    ...(option('target') === undefined ? {} : { bun: bunOf(target) }),
    trust: {
      releases: option('releases') ?? trust.releases,
      keys: list('keys') ?? trust.keys,
      revoked: list('revoked') ?? trust.revoked,
    },
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await script(() => {
    if (process.argv.includes('--release')) {
      buildRelease(process.argv.slice(2))
      return 0
    }
    ensureNodeModules()
    const built = build({ force: process.argv.includes('--force') })
    process.stderr.write(built ? 'Built dist/coop.\n' : 'dist/coop is up to date.\n')
    return 0
  })
}
