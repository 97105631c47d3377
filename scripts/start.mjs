/**
 * `npm start -- ARGS`: installs and builds missing or stale parts, then runs `coop ARGS` in the user's current folder.
 * It prints nothing of its own when everything is up to date.
 */
import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import { build, isStale } from './build.mjs'
import { coopBinary, ensureNodeModules, root, script } from './bun.mjs'

/** Returns the caller's environment without npm's additions: coop passes parts of it on to agents. */
function callersEnvironment() {
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (name.startsWith('npm_') || name === 'INIT_CWD') delete env[name]
  const addedByNpm = (/** @type {string} */ folder) =>
    (folder.endsWith('/node_modules/.bin') &&
      `${root}/`.startsWith(folder.slice(0, -'node_modules/.bin'.length))) ||
    folder.endsWith('/node-gyp-bin')
  env.PATH = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !addedByNpm(folder))
    .join(delimiter)
  return env
}

/** Returns the arguments when none are given: attach on a terminal, otherwise start in the background. */
function defaultArguments() {
  return process.stdin.isTTY && process.stdout.isTTY ? [] : ['-d']
}

/** @param {readonly string[]} args */
function runCoop(args) {
  const child = spawn(coopBinary, args, {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: callersEnvironment(),
    stdio: 'inherit',
  })
  // A terminal sends SIGINT (Ctrl+C) to coop, too; from other senders it reaches only this process.
  const ownTerminal = process.stdin.isTTY
  process.on('SIGINT', () => ownTerminal || child.kill('SIGINT'))
  process.on('SIGQUIT', () => ownTerminal || child.kill('SIGQUIT'))
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])) {
    process.on(signal, () => child.kill(signal))
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (signal === null) return resolve(code ?? 1)
      // Ends the way coop ended, so that a shell sees the same.
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  })
}

await script(() => {
  ensureNodeModules()
  if (isStale()) {
    process.stderr.write('Building dist/coop ...\n')
    build()
  }
  const args = process.argv.slice(2)
  return runCoop(args.length > 0 ? args : defaultArguments())
})
