/** Reaching the daemon, and starting it when there is none. */
import { hasFullQueue } from '../../ffi/descriptors.ts'
import { lock, openLockFile } from '../../ffi/files.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError, errorFromJson } from '../core/errors.ts'
import { daemonSocket, type Paths, startLock } from '../core/paths.ts'
import { VERSION } from '../core/version.ts'
import { PROTOCOL } from '../protocol/server-messages.ts'
import { Session } from './session.ts'
import { isNewer } from './versions.ts'

/** The hidden command that makes this executable the daemon. */
export const DAEMON_COMMAND = '--daemon'

// All that the daemon takes from the environment of whoever happens to start it. In particular not what
// makes a Bun executable run other code: BUN_OPTIONS, BUN_BE_BUN, BUN_INSPECT, NODE_OPTIONS, LD_PRELOAD.
const DAEMON_ENVIRONMENT =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_ALL|TZ|XDG_(?:CONFIG|DATA|CACHE)_HOME|XDG_RUNTIME_DIR|COOP_(?:CONFIG|DATA|CACHE|RUNTIME)_DIR)$/

const ANSWER_MS = 10_000 // a daemon that lives answers in a millisecond; one that was stopped (SIGSTOP) never
const CROWDED_MS = 20 // before a client that found the daemon's queue full tries again
const STARTS = 30 // a daemon that somebody kills while it starts is started again
const START_AGAIN_MS = 200 // for one whose runtime folder was removed, which it looks after every 3 s

function silent(): CoopError {
  return new CoopError('E_DAEMON', 'the coop daemon does not answer', {
    hint: 'is it stopped? pkill -CONT -f "coop --daemon"; or end it, boxes go on: pkill -KILL -f "coop --daemon"',
  })
}

/** `takeOver`: an older daemon is asked to make room, and there is none then. */
async function tryConnect(paths: Paths, takeOver = true): Promise<Session | undefined> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(silent()), ANSWER_MS)
  try {
    const { session, daemon } = await Promise.race([Session.connect(paths), late.promise])
    if (takeOver && isNewer({ protocol: PROTOCOL, version: VERSION }, daemon)) {
      await session.retire()
      return undefined
    }
    if (daemon.protocol === PROTOCOL) return session
    session.close()
    throw new CoopError('E_DAEMON', `coop ${daemon.version} runs, this is ${VERSION}`, {
      hint: 'use that one: open a new shell, or see which coop',
    })
  } catch (error) {
    if (error instanceof CoopError) throw error
    if (await isCrowded(paths)) return tryConnect(paths, takeOver)
    return undefined // nobody listens, or the daemon is just going away
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Whether somebody listens who has more clients to let in than the kernel keeps waiting (listen(2)); then some time has
 * passed. Bun tells that as a refused connection.
 */
async function isCrowded(paths: Paths): Promise<boolean> {
  const deadline = performance.now() + ANSWER_MS
  for (let crowded = false; ; crowded = true) {
    if (!hasFullQueue(daemonSocket(paths))) return crowded
    if (performance.now() > deadline) throw silent()
    await Bun.sleep(CROWDED_MS * (0.5 + Math.random())) // not all clients at the same moment
  }
}

/** A session with the running daemon; undefined when there is none. */
export function connectRunning(paths: Paths): Promise<Session | undefined> {
  return tryConnect(paths, false)
}

/** A session with the daemon, which is started when it does not run. Raises E_DAEMON or E_RUNTIME_DIR. */
export async function connect(paths: Paths): Promise<Session> {
  const running = await tryConnect(paths)
  if (running) return running
  const { ensureRuntimeDir } = await import('../disk/runtime-dir.ts') // loads node:fs, which a running daemon spares us
  for (let attempt = 0; attempt < STARTS; attempt++) {
    if (attempt > 0) await Bun.sleep(START_AGAIN_MS)
    ensureRuntimeDir(paths)
    const fd = openLockFile(startLock(paths))
    try {
      lock(fd) // of two first callers one starts it, the other finds it running
      const meanwhile = await tryConnect(paths)
      if (meanwhile) return meanwhile
      await start(paths)
      const session = await tryConnect(paths)
      if (session) return session
    } finally {
      closeDescriptor(fd)
    }
  }
  throw new CoopError('E_DAEMON', 'the coop daemon does not stay', { hint: 'coop system logs -n 20' })
}

/**
 * What is installed where this program came from: after an update that is the new one. When there is nothing any
 * more, this program itself, which the kernel keeps while it runs.
 */
async function programPath(): Promise<string> {
  const { existsSync, readlinkSync } = await import('node:fs') // a millisecond that a running daemon spares us
  const path = readlinkSync('/proc/self/exe').replace(/ \(deleted\)$/, '')
  return existsSync(path) ? path : '/proc/self/exe'
}

async function start(paths: Paths): Promise<void> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => DAEMON_ENVIRONMENT.test(name)),
  )
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
    // It died before it could say anything, or another daemon was quicker.
  }
  if (report.error) {
    const error = errorFromJson(report.error)
    throw error.exitCode === 1
      ? new CoopError('E_DAEMON', `the coop daemon did not start: ${error.message}`, {
          hint: error.hint ?? `see ${paths.logsDir}`,
          cause: error,
        })
      : error
  }
}
