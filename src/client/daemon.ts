/** Connects to the daemon, and starts it when none runs. */
import { hasFullQueue } from '../../ffi/descriptors.ts'
import { lock, openLockFile } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError, errorFromJson } from '../core/errors.ts'
import { daemonSocket, type Paths, startLock } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import { PROTOCOL } from '../protocol/server-messages.ts'
import { type Greeting, Session } from './session.ts'
import { defaultRuntimeDir } from './user-paths.ts'
import { isNewer } from './versions.ts'

/** The hidden command that makes this executable the daemon. */
export const DAEMON_COMMAND = '--daemon'

// The daemon takes only these variables from the client that starts it: they say where its files are, and which certificates
// it trusts. What belongs to a box (PATH, language, time zone) comes with each call, so that it is not the first caller's.
// Variables that make a Bun executable run other code stay out: BUN_OPTIONS, BUN_BE_BUN, BUN_INSPECT, NODE_OPTIONS, LD_PRELOAD.
const DAEMON_ENVIRONMENT =
  /^(?:HOME|USER|LOGNAME|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|XDG_(?:CONFIG|DATA|CACHE)_HOME|XDG_RUNTIME_DIR|COOP_(?:CONFIG|DATA|CACHE|RUNTIME)_DIR)$/

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

/** A connection to a daemon that has greeted. */
export interface Met {
  readonly session: Session
  readonly daemon: Greeting
}

/** Returns the running daemon, of whatever release; undefined when none listens, or it is about to end. */
export async function meet(paths: Paths): Promise<Met | undefined> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(silent()), ANSWER_MS)
  try {
    return await Promise.race([Session.connect(paths), late.promise])
  } catch (error) {
    if (error instanceof CoopError) throw error
    if (await isCrowded(paths)) return meet(paths)
    const { settleRuntimeDir } = await import('./other-login.ts')
    return settleRuntimeDir(paths) ? meet(paths) : undefined
  } finally {
    clearTimeout(timer)
  }
}

/** Returns a session with the running daemon. With `takeOver`, asks an older daemon to make room; then undefined. */
async function tryConnect(paths: Paths, takeOver = true): Promise<Session | undefined> {
  const met = await meet(paths)
  if (!met) return undefined
  const { session, daemon } = met
  if (takeOver && (await isToLeave(met))) {
    await session.retire()
    return undefined
  }
  if (daemon.protocol === PROTOCOL) return session
  session.close()
  throw new CoopError('E_DAEMON', `the running daemon is coop ${daemon.version}, and this is ${VERSION}`, {
    hint: 'use the coop of that release: open a new shell, or find it: which -a coop',
  })
}

/** Returns whether the daemon is to make room for one that this process starts. */
async function isToLeave({ session, daemon }: Met): Promise<boolean> {
  const mine = { protocol: PROTOCOL, version: VERSION }
  if (daemon.protocol === mine.protocol && daemon.version === mine.version) return daemon.outdone
  const { isToReplace, programOf } = await import('./programs.ts')
  return isToReplace(isNewer(mine, daemon), programOf('self'), programOf(session.peer))
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
  return (await tryConnect(paths)) ?? startAnd(paths, () => tryConnect(paths))
}

/** Starts a daemon until `reach` finds one: that of `program`, or of the program at this executable's path. */
export async function startAnd<T>(
  paths: Paths,
  reach: () => Promise<T | undefined>,
  program?: string,
  starts = STARTS,
): Promise<T> {
  const { ensureRuntimeDir } = await import('../disk/runtime-dir.ts') // loads node:fs, needed only when no daemon runs
  for (let attempt = 0; attempt < starts; attempt++) {
    if (attempt > 0) await Bun.sleep(START_AGAIN_MS)
    ensureRuntimeDir(paths)
    const fd = openLockFile(startLock(paths))
    try {
      lock(fd) // of two first callers, one starts the daemon and the other finds it running
      const meanwhile = await reach()
      if (meanwhile !== undefined) return meanwhile
      await start(paths, program ?? (await programPath()), attempt < OTHERS)
      const reached = await reach()
      if (reached !== undefined) return reached
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

async function start(paths: Paths, program: string, tolerant: boolean): Promise<void> {
  const own = Object.entries(process.env).filter(([name]) => DAEMON_ENVIRONMENT.test(name))
  // It listens where this client looks, also in a folder of another login.
  const env = { ...Object.fromEntries(own), COOP_RUNTIME_DIR: paths.runtimeDir }
  const child = Bun.spawn([program, DAEMON_COMMAND], {
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
