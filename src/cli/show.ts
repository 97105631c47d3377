/** Attaching this terminal to a PTY of a box, and saying how that ended. */

import type { Session } from '../client/session.ts'
import { showTerminal, terminalSize } from '../client/terminal.ts'
import { CoopError } from '../errors.ts'
import type { BoxInfo, Call } from '../protocol/messages.ts'
import { isTerminal, paint, printError } from './output.ts'

export function needTerminal(hint: string): void {
  if (isTerminal(0) && isTerminal(1)) return
  throw new CoopError('E_NO_TERMINAL', 'this needs a terminal: stdin or stdout is none', { hint })
}

/** The call that attaches to the agent. */
export function agentCall(name: string, readonly: boolean): Call & { do: 'attach' } {
  return { do: 'attach', name, pty: 0, readonly, size: terminalSize() }
}

/** Attach and stay until detached or ended. Resolves with the exit code. */
export async function attachTo(
  session: Session,
  { name, detachKey }: BoxInfo,
  call: Call & { do: 'attach' | 'shell.open' },
): Promise<number> {
  const readonly = call.do === 'attach' && call.readonly
  const end = await showTerminal(session, { detachKey, readonly }, () => session.call(call))
  session.close()
  const back = `coop attach ${name}`
  if (end.how === 'detached') printError(`\r\n${paint('dim', `[detached; the box goes on: ${back}]`, 2)}\n`)
  else if (end.how === 'lost') {
    throw new CoopError('E_DAEMON', 'the connection to the coop daemon was lost; the box goes on', {
      hint: back,
    })
  } else if (end.ended === 'box') printError(`\r\n${paint('dim', `[the box ${name} has ended]`, 2)}\n`)
  return end.how === 'exit' ? end.code : 0
}
