/** A command in a box on behalf of this process: its streams, its signals, its exit code. */

import type { Session } from '../client/session.ts'
import { passStdio } from '../client/stdio.ts'
import type { Paths } from '../config/paths.ts'
import { CoopError } from '../errors.ts'
import type { Call, CommandOptions } from '../protocol/messages.ts'
import { isTerminal, paint, printable, printError } from './output.ts'

/** Signals that are passed on, with their numbers (signal(7)); the same on both architectures. */
const FORWARDED = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15 } as const
const COOP_FAILED = 125

export interface Launch {
  readonly command: readonly string[]
  /** Undefined: a terminal when stdin and stdout are one. */
  readonly terminal: boolean | undefined
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** The call that starts it. */
  call(command: CommandOptions): Call
}

function complain(message: string, hint?: string): void {
  printError(`${paint('red', 'coop:', 2)} ${printable(message)}\n`)
  if (hint) printError(`${paint('dim', 'hint:', 2)} ${printable(hint)}\n`)
}

async function inTerminal(session: Session, launch: Launch, base: CommandOptions): Promise<number> {
  const { showTerminal, terminalSize } = await import('../client/terminal.ts')
  const size = { ...terminalSize(), term: process.env.TERM ?? 'xterm-256color' }
  const end = await showTerminal(session, { detachKey: undefined, readonly: false }, () =>
    session.call(launch.call({ ...base, terminal: size })),
  )
  if (end.how === 'exit') {
    if (end.message) complain(end.message)
    return end.code
  }
  if (end.how === 'lost') complain('the connection to the coop daemon was lost')
  return end.how === 'lost' ? COOP_FAILED : 130
}

async function withPipes(
  session: Session,
  launch: Launch,
  base: CommandOptions,
  paths: Paths,
): Promise<number> {
  const stdio = await passStdio(paths)
  const lost = new Promise<undefined>((resolve) => {
    session.onLost = () => resolve(undefined)
  })
  const waiting: number[] = []
  let started = false
  for (const [name, signal] of Object.entries(FORWARDED)) {
    process.on(name, () => {
      if (started) session.signal(signal)
      else waiting.push(signal)
    })
  }
  await session.call(launch.call({ ...base, descriptors: stdio.token }))
  started = true
  for (const signal of waiting) session.signal(signal)
  const exit = await Promise.race([session.exited, lost])
  if (!exit) {
    complain('the connection to the coop daemon was lost')
    return COOP_FAILED
  }
  await stdio.finish()
  if (exit.error) complain(exit.error.message, exit.error.hint)
  return exit.code
}

/** Run it; resolves with the command's exit code, or 125 when coop itself failed. */
export async function launch(connecting: Promise<Session>, paths: Paths, what: Launch): Promise<number> {
  try {
    const session = await connecting
    session.onNotice = (text) => printError(`${paint('yellow', 'coop:', 2)} ${printable(text)}\n`)
    const base: CommandOptions = {
      command: what.command,
      ...(what.cwd === undefined ? {} : { cwd: what.cwd }),
      ...(what.env === undefined ? {} : { env: what.env }),
    }
    const terminal = what.terminal ?? (isTerminal(0) && isTerminal(1))
    return terminal ? await inTerminal(session, what, base) : await withPipes(session, what, base, paths)
  } catch (error) {
    if (!(error instanceof CoopError)) throw error
    complain(error.message, error.hint)
    return COOP_FAILED
  }
}
