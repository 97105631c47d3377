/**
 * `npm run build`: compiles `src/main.ts` to `dist/coop`. Nothing is done when no input is newer than the
 * executable; `--force` builds all the same.
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
import { bunPath, coopBinary, newest, root, run, ScriptError, script } from './bun.mjs'
import { writeTable } from './table.mjs'

const INPUTS = ['src', 'ffi', 'web', 'package.json', 'bunfig.toml', 'scripts/build.mjs', 'scripts/table.mjs']

/**
 * A compiled program otherwise loads `.env`, `bunfig.toml` (with its preload scripts), `tsconfig.json` and
 * `package.json` of the **current folder** before its own first line: a hostile repository would own the
 * host process. `test/escape/poisoned-folder.test.ts` proves that it does not.
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
  // A command loads only what it uses: one chunk for all would load every `node:` module at each start (3 ms).
  '--splitting',
  '--minify',
  // Names of functions and classes stay: stack traces in the daemon's log have to be readable.
  '--keep-names',
  '--sourcemap=none',
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
  // Renamed when complete: a coop that starts meanwhile, or a running daemon, sees the old file or the new.
  const temporary = `${file}.${process.pid}.tmp`
  const started = new Date()
  try {
    const args = ['build', ...COMPILE, ...defines(version), `--outfile=${temporary}`, entry]
    const { code, stdout, stderr } = run(bunPath(), args, { capture: true, allowFailure: true })
    if (code !== 0) throw new ScriptError(`The build failed:\n${stderr}${stdout}`)
    inOnePiece(temporary)
    // As old as its sources were read: one saved during the build makes it stale.
    utimesSync(temporary, started, started)
    renameSync(temporary, file)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/**
 * Write a file once more, all at once: the kernel caches in pieces as large as they were written in, and maps each with
 * one page fault. Bun writes small ones, which costs each start of coop 0.4 ms; those that the kernel reads by itself,
 * once it has dropped the file from its cache, are smaller still: 1.5 ms.
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

/** The libc of this machine, by the name that its loader knows. */
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
    return '' // no git: a source archive can be built too
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await script(() => {
    // Another release than this one, for the tests of an upgrade: `--release VERSION FILE`.
    const release = process.argv.indexOf('--release')
    if (release > 0) {
      compile(process.argv[release + 2], process.argv[release + 1])
      return 0
    }
    const built = build({ force: process.argv.includes('--force') })
    process.stderr.write(built ? 'Built dist/coop.\n' : 'dist/coop is up to date.\n')
    return 0
  })
}
