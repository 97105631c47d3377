/** Runs a command in a box for this process: its streams, its signals, its exit code. */

import { SIGCONT } from '../../../ffi/abi/constants.ts'
import { isForeground } from '../../../ffi/terminal.ts'
import { connect } from '../../client/daemon.ts'
import { isLost, type Session } from '../../client/session.ts'
import { onSignals } from '../../client/signals.ts'
import { passStdio } from '../../client/stdio/stdio.ts'
import type { Begin } from '../../client/terminal/terminal.ts'
import { CoopError, type ErrorJson } from '../../core/errors.ts'
import type { Paths } from '../../core/paths.ts'
import type { CommandOptions } from '../../protocol/calls/commands.ts'
import { isTerminal, paint, printable, printError } from './output.ts'

const COOP_FAILED = 125
const HUNG_UP = 128 + 1
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
const MAX_WORDS = 65_536
const MAX_BYTES = 750_000 // in a message; the rest of its size is for the caller's environment

export interface Launch {
  readonly command: readonly string[]
  /** Undefined: use a terminal when stdin and stdout are one, and this process is in its foreground. */
  readonly terminal: boolean | undefined
  readonly cwd?: string
  readonly callerCwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Runs before the streams are touched, for questions to the user. */
  before?(): Promise<void>
  /** Asks the daemon to start it. */
  start(session: Session, command: CommandOptions): Promise<unknown>
}

/** Returns an unguessable token of 128 bits. */
function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}

/** Prints why a command did not start, or has ended with its box. */
async function complainOf(
  { message, hint, code }: ErrorJson,
  exitCode: number,
  { command: [word = ''] }: Launch,
): Promise<void> {
  const { printFailure } = await import('./report.ts')
  if (exitCode === NOT_FOUND)
    printFailure(message, hint ?? (await import('./in-home.ts')).inHomeHint(word)) // as a shell does
  else if (exitCode === NOT_EXECUTABLE) printFailure(message, hint)
  else printFailure(message, hint, code)
}

async function inTerminal(
  paths: Paths,
  session: Session,
  launch: Launch,
  base: CommandOptions,
): Promise<number> {
  const { showTerminal, terminalSize } = await import('../../client/terminal/terminal.ts')
  let started = false
  const begin: Begin = async (current, progress) => {
    const size = terminalSize()
    if (started) return current.call('rejoin', { token: base.token, size, ...progress })
    const terminal = { ...size, term: process.env.TERM ?? 'xterm-256color', suspends: true }
    started = true // it may have started: if the daemon dies now, look for the command, and never start it twice
    await launch.start(current, { ...base, terminal })
    return {}
  }
  const end = await showTerminal(paths, session, { detachKey: undefined, readonly: false }, begin)
  if (end.how !== 'exit') return HUNG_UP // the program did not end in time after its terminal had gone
  if (end.error) await complainOf(end.error, end.code, launch)
  return end.code
}

async function withPipes(
  session: Session,
  launch: Launch,
  base: CommandOptions,
  paths: Paths,
): Promise<number> {
  const stdio = await passStdio(paths)
  let current = session
  const waiting: number[] = []
  let state: 'new' | 'started' | 'over' = 'new'
  onSignals((signal) => {
    if (state === 'over') {
      stdio.end() // nobody will read the remaining output
      process.exit(128 + signal)
    }
    if (state === 'started' && !current.isClosed) current.signal(signal)
    else waiting.push(signal)
  })
  // A stopped program takes no other signal before this one: timeout(1) and `kill %1` of shells send it after SIGTERM.
  process.on('SIGCONT', () => {
    if (state === 'started' && !current.isClosed) current.signal(SIGCONT)
    else if (state !== 'over') waiting.push(SIGCONT)
  })
  let lost = lossOf(current)
  const unlessLost = (error: unknown): void => {
    if (!isLost(error)) throw error // the code below handles a lost daemon
  }
  try {
    await launch.start(current, { ...base, descriptors: stdio.token }).catch(unlessLost)
    state = 'started'
    for (;;) {
      if (!current.isClosed) for (const signal of waiting.splice(0)) current.signal(signal)
      stdio.watch(current.isClosed ? undefined : current.descriptor)
      const exit = await Promise.race([current.exited, lost])
      if (exit) {
        state = 'over'
        const lost = await stdio.finish()
        if (exit.error) await complainOf(exit.error, exit.code, launch)
        if (lost) await coopFailed(new CoopError('E_FAILED', `the output cannot be written (${lost})`))
        return lost && exit.code === 0 ? COOP_FAILED : exit.code
      }
      // The command keeps running with its own pipes; the next daemon will know its exit code.
      stdio.watch(undefined)
      current = await connect(paths)
      lost = lossOf(current)
      await current.call('rejoin', { token: base.token }).catch(unlessLost)
    }
  } finally {
    if (state === 'started')
      await stdio.finish() // writes the output from before the loss
    else stdio.end()
  }
}

function lossOf(session: Session): Promise<undefined> {
  return new Promise((resolve) => {
    session.onLost = () => resolve(undefined)
  })
}

/** Checks that a message to the daemon can hold the command. Raises E_USAGE. */
function checkSize(options: CommandOptions): void {
  if (options.command.length <= MAX_WORDS && JSON.stringify(options).length <= MAX_BYTES) return
  throw new CoopError(
    'E_USAGE',
    'the arguments are too long: coop passes on at most 65,536 words and 750,000 bytes',
    {
      hint: 'pass them on the input of the command (xargs), or in a file (@FILE, if it supports that)',
    },
  )
}

/** Runs the command. Resolves with its exit code, or 125 when coop itself failed. */
export async function launch(connecting: Promise<Session>, paths: Paths, what: Launch): Promise<number> {
  try {
    const session = await connecting
    await what.before?.()
    session.onNotice = (text) => printError(`${paint('yellow', 'coop:', 2)} ${printable(text)}\n`)
    const base: CommandOptions = {
      command: what.command,
      token: newToken(),
      ...(what.cwd === undefined ? {} : { cwd: what.cwd }),
      ...(what.callerCwd === undefined ? {} : { callerCwd: what.callerCwd }),
      ...(what.env === undefined ? {} : { env: what.env }),
    }
    checkSize(base)
    // In the background a terminal would stop this process, as it would an editor.
    const terminal = what.terminal ?? (isTerminal(0) && isTerminal(1) && isForeground(0))
    return terminal
      ? await inTerminal(paths, session, what, base)
      : await withPipes(session, what, base, paths)
  } catch (error) {
    return coopFailed(error)
  }
}

/**
 * Runs the look-up and the preparation of a command. Resolves with 125 when coop itself fails. Raises errors that have
 * exit codes of their own: a wrong command line, a missing box.
 */
export async function orFailed(work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CoopError && (error.code === 'E_USAGE' || error.code === 'E_NO_BOX')) throw error
    return coopFailed(error)
  }
}

async function coopFailed(error: unknown): Promise<number> {
  const { report } = await import('./report.ts')
  report(error, false)
  return COOP_FAILED
}
