/**
 * `npm test [-- NAME...]`: runs all tests. With names, runs only the test files whose path contains one of them.
 * The very last line of the output is `N passed, N failed[, N skipped]`; exit code 1 on a failure.
 */

import { availableParallelism } from 'node:os'
import { build } from './build.mjs'
import { ensureNodeModules, script } from './bun.mjs'
import { check, testFiles, unitTestFiles, unitTests } from './check.mjs'
import { ensurePackages } from './debian.mjs'
import { bunTest } from './junit.mjs'
import { skippedFor } from './skips.mjs'

/** @typedef {import('./junit.mjs').Outcome} Outcome */

/**
 * Whole-program tests by folder, with the time that one test may take. Each file runs in a process of its own, so that
 * a crash or hang affects no other file.
 */
const GROUPS = [
  { folder: 'test/harness', testTimeoutMs: 30_000 },
  { folder: 'test/integration', testTimeoutMs: 60_000 },
  { folder: 'test/escape', testTimeoutMs: 60_000 },
  { folder: 'test/images', testTimeoutMs: 120_000 }, // tests fill a registry, and peers unpack the same images
  { folder: 'test/agents', testTimeoutMs: 180_000 }, // tests install real agents, which take seconds to start
  { folder: 'test/screens', testTimeoutMs: 120_000 },
  { folder: 'test/soak', testTimeoutMs: 120_000 },
  { folder: 'test/release', testTimeoutMs: 120_000 }, // tests build executables
  { folder: 'test/web', testTimeoutMs: 90_000 },
]
/** These use up what the machine or a user has only one of, or measure how long something takes. */
const ALONE =
  /^test\/(?:soak\/|images\/(?:build|interrupted|publish-failures)|escape\/(?:limits|shared-counts|terminal-floods|terminals)|integration\/(?:bad-host|full-disk|snapshot-fifos))/
/**
 * Most of a test's time is spent waiting for processes: test/escape/links-in-its-root used 33 s of processor time in 104 s,
 * on two processors with three files at once. So further files fill the gaps of the first.
 */
const AT_ONCE = Math.min(4, availableParallelism() + 2)
/** These take half a minute or longer and begin first, so that none of them is left alone at the end. */
const FIRST =
  /^test\/(?:escape\/(?:hostile-image|hostile-layer|links-in-its-root|links-that-stay|closed-folders)|integration\/(?:cp|cp-failures|snapshot|stop-start)|release\/arm64|web\/browser)\.test/
const SLOWEST = 15 // files that are listed at the end
const FILE_TIMEOUT_MS = 900_000

/** @typedef {{ file: string, testTimeoutMs: number }} Planned */

/** @type {Outcome} */
const total = { passed: 0, failed: [], skipped: [], output: '' }

/** Seconds by file. @type {Map<string, number>} */
const times = new Map()

/** @param {Outcome} outcome */
function add({ passed, failed, skipped }) {
  total.passed += passed
  total.failed.push(...failed)
  total.skipped.push(...skipped)
}

/** @param {string} name */
function heading(name) {
  process.stdout.write(`\n== ${name}\n`)
}

/** @param {readonly string[]} names parts of paths to run; empty runs everything */
async function main(names) {
  const wanted = (/** @type {string} */ file) =>
    names.length === 0 || names.some((name) => file.includes(name))
  process.stdout.write(skippedFor(process.getuid?.()))
  ensureNodeModules()
  const units = unitTestFiles().filter(wanted)
  const groups = wholeProgramGroups(wanted)
  if (units.length + groups.length === 0) {
    total.failed.push(`No test file matches ${names.join(' or ')}.`)
    return
  }
  if (names.length === 0) {
    heading('check')
    add(await check())
  } else if (units.length > 0) {
    heading('unit tests')
    const outcome = await unitTests(units)
    process.stdout.write(outcome.output)
    add(outcome)
  }
  if (groups.length > 0) await wholeProgramTests(groups)
}

/** @param {(file: string) => boolean} wanted */
function wholeProgramGroups(wanted) {
  const known = GROUPS.map((group) => ({ ...group, files: testFiles(group.folder).filter(wanted) }))
  const taken = new Set(known.flatMap((group) => group.files))
  const others = testFiles('test').filter((file) => wanted(file) && !taken.has(file))
  return [...known, { folder: 'test', testTimeoutMs: 60_000, files: others }].filter(
    ({ files }) => files.length > 0,
  )
}

/** @param {ReturnType<typeof wholeProgramGroups>} groups */
async function wholeProgramTests(groups) {
  ensurePackages()
  heading('build')
  const built = build()
  process.stdout.write(built ? 'ok    built dist/coop\n' : 'ok    dist/coop is up to date\n')
  const run = async (/** @type {Planned} */ { file, testTimeoutMs }) => {
    const since = performance.now()
    const outcome = await bunTest([file], { testTimeoutMs, totalTimeoutMs: FILE_TIMEOUT_MS })
    const seconds = (performance.now() - since) / 1000
    times.set(file, seconds)
    process.stdout.write(`${outcome.output}\n${file}: ${seconds.toFixed(1)} s\n`)
    add(outcome)
  }
  const all = groups.flatMap(({ files, testTimeoutMs }) => files.map((file) => ({ file, testTimeoutMs })))
  const together = all.filter(({ file }) => !ALONE.test(file))
  // One queue for all folders: a processor without work at the end of each of them cost a minute or more in all.
  const left = [
    ...together.filter(({ file }) => FIRST.test(file)),
    ...together.filter(({ file }) => !FIRST.test(file)),
  ]
  const runner = async () => {
    for (let planned = left.shift(); planned; planned = left.shift()) await run(planned)
  }
  heading(`whole-program tests, ${AT_ONCE} files at a time`)
  await Promise.all(Array.from({ length: AT_ONCE }, runner))
  const alone = all.filter(({ file }) => ALONE.test(file))
  if (alone.length > 0) heading('whole-program tests, one file at a time')
  for (const planned of alone) await run(planned)
}

function summary() {
  const { passed, failed, skipped } = total
  const slowest = [...times].sort(([, a], [, b]) => b - a).slice(0, SLOWEST)
  const took = slowest.map(([file, seconds]) => `${seconds.toFixed(0).padStart(6)} s  ${file}\n`).join('')
  const reasons = failed.map((reason) => `== failed\n${reason}\n\n`).join('')
  const names = skipped.map((name) => `skipped: ${name}\n`).join('')
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : ''
  return `\n${took && `== slowest files\n${took}\n`}${reasons}${names}${passed} passed, ${failed.length} failed${tail}\n`
}

let finished = false
await script(async () => {
  await main(process.argv.slice(2))
  finished = true
  return 0
})
// The reason that stopped the run (no dependencies, no build) was printed already; it counts as one failure.
if (!finished) total.failed.push('the run itself, see above')
process.stdout.write(summary())
process.exitCode = total.failed.length > 0 ? 1 : 0
