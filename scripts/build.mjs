/**
 * `npm run build`: installs missing dependencies and compiles `src/main.ts` to `dist/coop`. It does nothing when no
 * input is newer than the executable; with `--force` it always builds.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bunPath, coopBinary, ensureNodeModules, newest, root, run, ScriptError, script } from './bun.mjs'
import { writeTable } from './table.mjs'

const INPUTS = ['src', 'ffi', 'web', 'package.json', 'bunfig.toml', 'scripts/build.mjs', 'scripts/table.mjs']

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
  // The engine asks for the path of the current folder before coop's first line, and ends when the folder has been
  // deleted. With `--cwd` it goes to a folder first and may fail to learn its path. The kernel's link leads to the
  // current folder itself, deleted or not, so that nothing changes.
  '--compile-exec-argv=--cwd=/proc/self/cwd',
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
  mkdirSync(join(root, 'dist'), { recursive: true })
  compile(coopBinary, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version)
  return true
}

/** Builds `file` as a coop of that version. */
function compile(file, version) {
  const entry = join(root, 'src', 'main.ts')
  if (!existsSync(entry)) throw new ScriptError('There is no src/main.ts to build.')
  // Renamed when complete: a coop that starts meanwhile, or a running daemon, sees either the old file or the new one.
  const temporary = `${file}.${process.pid}.tmp`
  const started = new Date()
  try {
    const args = ['build', ...COMPILE, ...defines(version), `--outfile=${temporary}`, entry]
    const { code, stdout, stderr } = run(bunPath(), args, { capture: true, allowFailure: true })
    if (code !== 0) throw new ScriptError(`The build failed:\n${stderr}${stdout}`)
    inOnePiece(temporary)
    // The file gets the time when its sources were read: a source saved during the build makes it stale.
    utimesSync(temporary, started, started)
    renameSync(temporary, file)
  } finally {
    rmSync(temporary, { force: true })
  }
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

/** Returns this machine's libc, by the name that its loader knows. */
function libc() {
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  return isGlibc ? 'libc.so.6' : `libc.musl-${arch}.so.1`
}

/** The global constants `COOP_VERSION`, `COOP_LIBC` and `COOP_COMMIT`; the last is empty outside a git checkout. */
function defines(version) {
  return [
    `--define=COOP_VERSION=${JSON.stringify(version)}`,
    `--define=COOP_LIBC=${JSON.stringify(libc())}`,
    `--define=COOP_COMMIT=${JSON.stringify(gitCommit())}`,
  ]
}

function gitCommit() {
  if (!existsSync(join(root, '.git'))) return ''
  try {
    const { code, stdout } = run('git', ['rev-parse', '--short=12', 'HEAD'], {
      capture: true,
      allowFailure: true,
    })
    return code === 0 ? stdout.trim() : ''
  } catch {
    return '' // without git: a source archive can be built, too
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await script(() => {
    // `--release VERSION FILE` builds another release, for the tests of upgrades.
    const release = process.argv.indexOf('--release')
    if (release > 0) {
      compile(process.argv[release + 2], process.argv[release + 1])
      return 0
    }
    ensureNodeModules()
    const built = build({ force: process.argv.includes('--force') })
    process.stderr.write(built ? 'Built dist/coop.\n' : 'dist/coop is up to date.\n')
    return 0
  })
}
