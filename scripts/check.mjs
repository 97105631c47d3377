/**
 * `npm run check`: types, format and lint, unit tests. Every step runs even when another fails, and failures are
 * printed. CI runs this before the whole-program tests.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, script } from './bun.mjs'
import { isInstalled } from './debian.mjs'
import { bunTest } from './junit.mjs'

/** @typedef {import('./junit.mjs').Outcome} Outcome */

const UNIT_TEST_FOLDERS = ['src', 'ffi', 'web', 'scripts']
const UNIT_TIMEOUT_MS = 5_000 // a unit test that takes longer waits for something that never comes
const ALL_UNITS_TIMEOUT_MS = 300_000

/** Returns the unit test files, relative to the repository. */
export const unitTestFiles = () => UNIT_TEST_FOLDERS.flatMap(testFiles)

/**
 * Returns every test file at or below a folder of the repository, sorted.
 *
 * @param {string} folder
 * @returns {string[]}
 */
export function testFiles(folder) {
  if (!existsSync(join(root, folder))) return []
  const names = /** @type {string[]} */ (readdirSync(join(root, folder), { recursive: true }))
  return names
    .filter(
      (name) =>
        /\.test\.(tsx?|mjs)$/.test(name) && !name.includes('node_modules') && !name.startsWith('dist'),
    )
    .map((name) => join(folder, name))
    .sort()
}

/**
 * Runs a program of node_modules as one check.
 *
 * @param {string} name
 * @param {readonly string[]} args
 */
const tool = (name, args) => command(join(root, 'node_modules', '.bin', name), args)

/**
 * Runs a program as one check, which passes when the program exits with 0.
 *
 * @param {string} name
 * @param {readonly string[]} args
 * @returns {Promise<Outcome>}
 */
function command(name, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ passed: code === 0 ? 1 : 0, failed: code === 0 ? [] : [name], skipped: [], output })
    })
  })
}

/** @param {readonly string[]} files */
export const unitTests = (files) =>
  bunTest(files, { testTimeoutMs: UNIT_TIMEOUT_MS, totalTimeoutMs: ALL_UNITS_TIMEOUT_MS, quiet: true })

/** Runs every step. Prints one line for each, and the output of failed steps. */
export async function check() {
  const units = unitTestFiles()
  const steps = [
    { name: 'types', outcome: tool('tsc', ['--noEmit', '--pretty', 'false']) },
    { name: 'types of the page', outcome: tool('tsc', ['--noEmit', '--pretty', 'false', '-p', 'web']) },
    { name: 'format and lint', outcome: tool('biome', ['check', '--max-diagnostics=50']) },
    ...(isInstalled('shellcheck')
      ? [{ name: 'install.sh', outcome: command('shellcheck', ['--shell=sh', 'install.sh']) }]
      : []),
    ...(units.length > 0 ? [{ name: 'unit tests', outcome: unitTests(units) }] : []),
  ]
  /** @type {Outcome} */
  const total = { passed: 0, failed: [], skipped: [], output: '' }
  for (const { name, outcome } of steps) {
    const { passed, failed, skipped, output } = await outcome
    total.passed += passed
    total.failed.push(...failed)
    total.skipped.push(...skipped)
    if (failed.length > 0) process.stdout.write(`${output.trimEnd()}\n`)
    const counts = passed + failed.length > 1 ? `  ${passed} passed, ${failed.length} failed` : ''
    process.stdout.write(`${failed.length > 0 ? 'FAIL' : 'ok  '}  ${name}${counts}\n`)
  }
  return total
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await script(async () => ((await check()).failed.length > 0 ? 1 : 0))
}
