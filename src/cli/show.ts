/** Attaching this terminal to a PTY of a box, and saying how that ended. */

import type { Session } from '../client/session.ts'
import { showTerminal, terminalSize } from '../client/terminal.ts'
import { CoopError } from '../errors.ts'
import type { BoxInfo } from '../protocol/messages.ts'
import { isTerminal, paint, printError } from './output.ts'

export function needTerminal(hint: string): void {
  if (isTerminal(0) && isTerminal(1)) return
  throw new CoopError('E_NO_TERMINAL', 'this needs a terminal: stdin or stdout is none', { hint })
}

/** Attach and stay until detached or ended. Resolves with the exit code. */
export async function attachTo(
  session: Session,
  { name, detachKey }: BoxInfo,
  pty: number,
  readonly: boolean,
): Promise<number> {
  const end = await showTerminal(session, { detachKey, readonly }, () =>
    session.call({ do: 'attach', name, pty, readonly, size: terminalSize() }),
  )
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
