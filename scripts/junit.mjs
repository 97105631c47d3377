/** Runs `bun test` and counts what happened, from its JUnit report. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bunPath, root } from './bun.mjs'

/**
 * The result of a run. `failed` holds the output of each failing test, its name last; `skipped` holds names.
 *
 * @typedef {{ passed: number, failed: string[], skipped: string[], output: string }} Outcome
 */

/** Overrides bunfig.toml, which keeps whole-program tests away from a bare `bun test`. */
const ANY_FILE = '--path-ignore-patterns=node_modules/**'

/**
 * Runs test files in one Bun process without a controlling terminal, and ends all processes that they leave in its
 * process group.
 *
 * @param {readonly string[]} files paths relative to the repository
 * @param {{ testTimeoutMs: number, totalTimeoutMs: number, quiet?: boolean }} options `quiet`: the output holds failures only
 * @returns {Promise<Outcome>}
 */
export async function bunTest(files, { testTimeoutMs, totalTimeoutMs, quiet = false }) {
  const folder = mkdtempSync(join(tmpdir(), 'coop-junit-'))
  const report = join(folder, 'report.xml')
  const paths = files.map((file) => `./${file}`)
  const args = [
    'test',
    ANY_FILE,
    `--timeout=${testTimeoutMs}`,
    '--reporter=junit',
    `--reporter-outfile=${report}`,
  ]
  if (quiet) args.push('--only-failures')
  try {
    const { code, output } = await runGroup(bunPath(), [...args, ...paths], totalTimeoutMs)
    return count(readReport(report), code, output, files)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} timeoutMs
 * @returns {Promise<{ code: number, output: string }>}
 */
function runGroup(command, args, timeoutMs) {
  return new Promise((resolve, reject) => {
    // A session of its own, so that no test depends on the caller's terminal or disturbs it.
    const child = spawn(command, args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (/** @type {Buffer} */ chunk) => {
      output += chunk
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const killGroup = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // The group has ended.
      }
    }
    const onSignal = () => {
      killGroup()
      process.exit(130)
    }
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
    const timer = setTimeout(() => {
      take(Buffer.from(`\nStopped after ${timeoutMs / 1000} s.\n`))
      killGroup()
    }, timeoutMs)
    child.once('error', reject)
    child.once('exit', (code) => {
      clearTimeout(timer)
      killGroup() // otherwise a forgotten background process keeps the pipes open, and this process waits
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
      child.once('close', () => resolve({ code: code ?? 1, output }))
    })
  })
}

/** @param {string} file */
function readReport(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it crashed, or was stopped
  }
}

/**
 * @param {string} xml
 * @param {number} code
 * @param {string} output
 * @param {readonly string[]} files
 * @returns {Outcome}
 */
export function count(xml, code, output, files) {
  /** @type {Outcome} */
  const outcome = { passed: 0, failed: [], skipped: [], output }
  for (const [, attributes = '', body] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    if (body?.includes('<skipped')) outcome.skipped.push(testName(attributes))
    else if (body !== undefined && /<(failure|error)\b/.test(body)) {
      outcome.failed.push(withReason(testName(attributes), output))
    } else outcome.passed++
  }
  // A file that does not load, or a process that dies, reports no failing test case.
  const unfinished = files.length > 0 && xml === ''
  if ((code !== 0 || unfinished) && outcome.failed.length === 0) {
    outcome.failed.push([...lastLines(output.split('\n')), files.join(' ')].join('\n'))
  }
  return outcome
}

const REASON_LINES = 60 // last lines of a failure's output, printed at the end, which survives when a log is cut

/** @param {readonly string[]} lines */
const lastLines = (lines) => lines.slice(-REASON_LINES)

/**
 * Returns a failing test with its output, which Bun prints between the previous result and the test's own.
 *
 * @param {string} name the test's name in the report
 * @param {string} output of `bun test`
 */
function withReason(name, output) {
  const lines = output.split('\n')
  const title = name.split(' > ').slice(1).join(' > ')
  const end = lines.findIndex((line) => line.startsWith('(fail) ') && line.includes(title))
  if (end === -1) return name
  const start = lines.findLastIndex((line, at) => at < end && /^\((pass|fail|skip)\) /.test(line))
  return [...lastLines(lines.slice(start + 1, end)), name].join('\n')
}

/** @param {string} attributes of a `<testcase>` */
function testName(attributes) {
  const value = (/** @type {string} */ key) => new RegExp(`\\b${key}="([^"]*)"`).exec(attributes)?.[1] ?? ''
  const parts = [value('file'), value('classname'), value('name')].filter((part) => part !== '')
  return parts
    .join(' > ')
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => ENTITIES[/** @type {'lt'} */ (name)])
}

const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
