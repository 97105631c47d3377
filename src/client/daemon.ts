/** Connects to the daemon, and starts it when none runs. */
import { hasFullQueue } from '../../ffi/descriptors.ts'
import { lock, openLockFile } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError, errorFromJson } from '../core/errors.ts'
import { daemonSocket, type Paths, startLock } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import { PROTOCOL } from '../protocol/server-messages.ts'
import { Session } from './session.ts'
import { defaultRuntimeDir } from './user-paths.ts'
import { isNewer } from './versions.ts'

/** The hidden command that makes this executable the daemon. */
export const DAEMON_COMMAND = '--daemon'

// The daemon takes only these variables from the client that starts it: they say where its files are. What belongs to a
// box (PATH, language, time zone) comes with each call, so that it is not the first caller's. Variables that make a Bun executable run other
// code stay out: BUN_OPTIONS, BUN_BE_BUN, BUN_INSPECT, NODE_OPTIONS, LD_PRELOAD.
const DAEMON_ENVIRONMENT =
  /^(?:HOME|USER|LOGNAME|XDG_(?:CONFIG|DATA|CACHE)_HOME|XDG_RUNTIME_DIR|COOP_(?:CONFIG|DATA|CACHE|RUNTIME)_DIR)$/

const ANSWER_MS = 10_000 // a live daemon answers in a millisecond; one stopped by SIGSTOP never does
const CROWDED_MS = 20 // before another try when the daemon's queue was full
const STARTS = 30 // tries: a daemon killed while it starts is started again
const OTHERS = 5 // of them, while a daemon that another login starts at the same time is not there yet
const START_AGAIN_MS = 200 // gives a daemon whose runtime folder was deleted time to recreate it (every 3 s)

function silent(): CoopError {
  return new CoopError('E_DAEMON', 'the coop daemon does not answer', {
    hint: 'resume it: pkill -CONT -f "coop --daemon"; or end it, boxes keep running: pkill -KILL -f "coop --daemon"',
  })
}

/** Returns a session with the running daemon. With `takeOver`, asks an older daemon to make room; then undefined. */
async function tryConnect(paths: Paths, takeOver = true): Promise<Session | undefined> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(silent()), ANSWER_MS)
  try {
    const { session, daemon } = await Promise.race([Session.connect(paths), late.promise])
    const isOurs = daemon.protocol === PROTOCOL && daemon.version === VERSION
    if (
      takeOver &&
      (isNewer({ protocol: PROTOCOL, version: VERSION }, daemon) || (isOurs && daemon.outdone))
    ) {
      await session.retire()
      return undefined
    }
    if (daemon.protocol === PROTOCOL) return session
    session.close()
    throw new CoopError('E_DAEMON', `the running daemon is coop ${daemon.version}, and this is ${VERSION}`, {
      hint: 'use the coop of that release: open a new shell, or find it: which -a coop',
    })
  } catch (error) {
    if (error instanceof CoopError) throw error
    if (await isCrowded(paths)) return tryConnect(paths, takeOver)
    const { settleRuntimeDir } = await import('./other-login.ts')
    if (settleRuntimeDir(paths)) return tryConnect(paths, takeOver)
    return undefined // no daemon listens, or it is about to end
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Returns, after a pause, whether a daemon listens whose queue of new clients is full (listen(2)). Bun reports that as
 * a refused connection.
 */
async function isCrowded(paths: Paths): Promise<boolean> {
  const deadline = performance.now() + ANSWER_MS
  for (let crowded = false; ; crowded = true) {
    if (!hasFullQueue(daemonSocket(paths))) return crowded
    if (performance.now() > deadline) throw silent()
    await Bun.sleep(CROWDED_MS * (0.5 + Math.random())) // random, so that clients do not retry together
  }
}

/** Returns a session with the running daemon; undefined when none runs. */
export function connectRunning(paths: Paths): Promise<Session | undefined> {
  return tryConnect(paths, false)
}

/** Returns a session with the daemon, and starts it when none runs. Raises E_DAEMON or E_RUNTIME_DIR. */
export async function connect(paths: Paths): Promise<Session> {
  const running = await tryConnect(paths)
  if (running) return running
  const { ensureRuntimeDir } = await import('../disk/runtime-dir.ts') // loads node:fs, needed only when no daemon runs
  for (let attempt = 0; attempt < STARTS; attempt++) {
    if (attempt > 0) await Bun.sleep(START_AGAIN_MS)
    ensureRuntimeDir(paths)
    const fd = openLockFile(startLock(paths))
    try {
      lock(fd) // of two first callers, one starts the daemon and the other finds it running
      const meanwhile = await tryConnect(paths)
      if (meanwhile) return meanwhile
      await start(paths, attempt < OTHERS)
      const session = await tryConnect(paths)
      if (session) return session
    } finally {
      closeDescriptor(fd)
    }
  }
  throw new CoopError('E_DAEMON', 'the coop daemon starts and ends again at once', {
    hint: 'coop system logs -n 20',
  })
}

/**
 * Returns the program at this executable's path; after an update that is the new release. When it was deleted, returns
 * the running program itself, which the kernel keeps.
 */
async function programPath(): Promise<string> {
  const { existsSync, readlinkSync } = await import('node:fs') // takes a millisecond, only needed when no daemon runs
  const path = readlinkSync('/proc/self/exe').replace(/ \(deleted\)$/, '')
  return existsSync(path) ? path : '/proc/self/exe'
}

async function start(paths: Paths, tolerant: boolean): Promise<void> {
  const own = Object.entries(process.env).filter(([name]) => DAEMON_ENVIRONMENT.test(name))
  // It listens where this client looks, also in a folder of another login.
  const env = { ...Object.fromEntries(own), COOP_RUNTIME_DIR: paths.runtimeDir }
  const child = Bun.spawn([await programPath(), DAEMON_COMMAND], {
    argv0: 'coop', // shown to boxes as the name of their init
    cwd: '/', // not the workspace: the daemon must not keep it busy, nor read anything in it
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
    detached: true,
  })
  const said = await new Response(child.stdout).text()
  child.unref()
  let report: { ready?: number; error?: Parameters<typeof errorFromJson>[0] } = {}
  try {
    report = JSON.parse(said)
  } catch {
    // It died before it could report, or another daemon was quicker.
  }
  if (report.error) {
    const error = errorFromJson(report.error)
    if (tolerant && error.code === 'E_DAEMON' && defaultRuntimeDir() !== undefined) return
    throw error.exitCode === 1
      ? new CoopError('E_DAEMON', `the coop daemon did not start: ${error.message}`, {
          hint: error.hint ?? `read the log in ${paths.logsDir}`,
          cause: error,
        })
      : error
  }
}
