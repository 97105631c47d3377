/** Attaching this terminal to a PTY of a box, and saying how that ended. */

import { terminalName } from '../../ffi/terminal.ts'
import type { Session } from '../client/session.ts'
import { type AttachEnd, type Begin, showTerminal, terminalSize } from '../client/terminal.ts'
import { userPaths } from '../client/user-paths.ts'
import { CoopError } from '../core/errors.ts'
import type { Call } from '../protocol/messages.ts'
import type { BoxInfo } from '../protocol/server-messages.ts'
import { isTerminal, paint, printable, printError } from './output.ts'

export function needTerminal(hint: string): void {
  if (isTerminal(0) && isTerminal(1)) return
  throw new CoopError('E_NO_TERMINAL', 'this needs a terminal: stdin or stdout is none', { hint })
}

/** The call that attaches to a terminal of a box; 0 is the agent's. */
export function attachCall(name: string, pty: number, readonly = false): Call & { do: 'attach' } {
  return { do: 'attach', name, pty, readonly, size: terminalSize(), ...ownTerminal() }
}

/** What listings show of who is attached. */
export function ownTerminal(): { readonly terminal?: string } {
  const terminal = terminalName(0)
  return terminal === undefined ? {} : { terminal }
}

const MAX_NOTICES = 3

function tellNotices(texts: readonly string[]): void {
  const more = texts.length > MAX_NOTICES ? [`and ${texts.length - MAX_NOTICES} times more`] : []
  for (const text of [...texts.slice(0, MAX_NOTICES), ...more])
    printError(`\r\n${paint('yellow', 'coop:', 2)} ${printable(text)}`)
}

/** Attach and stay until detached or ended. Resolves with the exit code. */
export async function attachTo(
  session: Session,
  { name, detachKey }: BoxInfo,
  call: Call & { do: 'attach' | 'shell.open' },
): Promise<number> {
  const readonly = call.do === 'attach' && call.readonly
  let pty = call.do === 'attach' ? call.pty : undefined
  const begin: Begin = async (current, progress) => {
    const again = pty === undefined ? call : { ...attachCall(name, pty, readonly), ...progress }
    const begun = await current.call<{ pty: number; taken?: number }>(again)
    pty = begun.pty
    return begun
  }
  const options = { detachKey, readonly, onNotices: tellNotices }
  const end = await showTerminal(userPaths(), session, options, begin)
  const words = endWords(end, name)
  if (words) printError(`\r\n${paint('dim', `[${printable(words)}]`, 2)}\n`)
  // The agent belongs to its box; a shell to who opened it, as with ssh.
  return end.how === 'exit' && pty !== 0 ? end.code : 0
}

/** What happened, and what to do next; a program that ended by itself speaks for itself. */
function endWords(end: AttachEnd, box: string): string | undefined {
  if (end.how === 'detached') return `detached; the box goes on: coop attach ${box}`
  if (end.how === 'stopped') return `detached: the daemon was stopped; the box goes on: coop attach ${box}`
  if (end.ended === 'box') return `the box ${box} was ended`
  if (end.ended === 'hangup') return `the shell was ended; open another one: coop shell ${box}`
  if (end.ended === 'command') return undefined
  const why = end.reason === undefined || end.reason === 'coop stop' ? '' : ` (${end.reason})`
  return `the box ${box} was stopped${why}; start it again: coop start ${box}`
}
