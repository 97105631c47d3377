/** Attaches this terminal to a PTY of a box, and prints how that ended. */

import { terminalName } from '../../../ffi/terminal.ts'
import type { Session } from '../../client/session.ts'
import {
  type AttachEnd,
  type AttachOptions,
  type Begin,
  showTerminal,
  terminalSize,
} from '../../client/terminal/terminal.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import type { BoxInfo } from '../../protocol/calls/boxes.ts'
import type { Shown } from '../../protocol/calls/terminals.ts'
import type { Request } from '../../protocol/calls.ts'
import { isTerminal, paint, printable, printError } from './output.ts'

export function needTerminal(hint: string): void {
  if (isTerminal(0) && isTerminal(1)) return
  throw new CoopError('E_NO_TERMINAL', 'this command needs a terminal as its input and output', {
    hint,
  })
}

/** Returns the request that attaches to a terminal of a box; 0 is the agent's. */
export function attaching(box: string, pty: number, readonly = false): Request<'attach'> {
  return { box, cwd: '/', pty, readonly, size: terminalSize(), ...ownTerminal() }
}

/** Returns the name of this terminal, which listings show. */
export function ownTerminal(): { readonly terminal?: string } {
  const terminal = terminalName(0)
  return terminal === undefined ? {} : { terminal }
}

const MAX_NOTICES = 3

function tellNotices(texts: readonly string[]): void {
  const more = texts.length > MAX_NOTICES ? [`and ${texts.length - MAX_NOTICES} more notices`] : []
  for (const text of [...texts.slice(0, MAX_NOTICES), ...more])
    printError(`${paint('yellow', 'coop:', 2)} ${printable(text)}\n`)
}

/** Attaches to a terminal of a box until the user detaches or it ends. Resolves with the exit code. */
export async function attachTo(
  session: Session,
  { name, detachKey, displaced }: BoxInfo,
  { pty, readonly = false }: { readonly pty: number; readonly readonly?: boolean },
): Promise<number> {
  const begin: Begin = (current, progress) =>
    current.call('attach', { ...attaching(name, pty, readonly), ...progress })
  const end = await show(session, name, { detachKey, readonly, told: displaced?.notes }, begin, () => pty)
  // The agent belongs to its box, so its exit code is not passed on. A shell's is, as with ssh.
  return end.how === 'exit' && pty !== 0 ? end.code : 0
}

/** Opens a shell until the user detaches or it ends. Resolves with its exit code. */
export async function openShell(
  session: Session,
  { name, detachKey, displaced }: BoxInfo,
  request: Request<'shell.open'>,
): Promise<number> {
  let shown: Shown | undefined
  const begin: Begin = async (current, progress) => {
    shown = shown
      ? await current.call('attach', { ...attaching(name, shown.pty), ...progress })
      : await current.call('shell.open', request)
    return shown
  }
  const end = await show(
    session,
    name,
    { detachKey, readonly: false, told: displaced?.notes },
    begin,
    () => shown?.pty,
  )
  return end.how === 'exit' ? end.code : 0
}

/** `told`: about the box. Said before and after: a screen that is restored clears what stands above. */
type Shows = Pick<AttachOptions, 'detachKey' | 'readonly'> & { readonly told?: readonly string[] | undefined }

/** Shows a terminal, and prints how that ended. */
async function show(
  session: Session,
  name: string,
  { told = [], ...options }: Shows,
  begin: Begin,
  shell?: () => number | undefined,
): Promise<AttachEnd> {
  tellNotices(told)
  const end = await showTerminal(userPaths(), session, { ...options, name, onNotices: tellNotices }, begin)
  const words = endWords(end, name, shell?.())
  if (words) printError(`${paint('dim', `[${printable(words)}]`, 2)}\n`)
  tellNotices(told)
  return end
}

/** Returns what happened and what to do next; undefined when the program ended by itself. */
function endWords(end: AttachEnd, box: string, shell: number | undefined): string | undefined {
  const back = shell
    ? `the shell is still running. Reattach: coop shell attach ${box}:${shell}`
    : `the box is still running. Reattach: coop attach ${box}`
  if (end.how === 'detached') return `detached; ${back}`
  if (end.how === 'stopped') return `the daemon was stopped; ${back}`
  if (end.ended === 'box') return `the box ${box} was ended`
  if (end.ended === 'hangup') return `the shell was ended; open another one: coop shell ${box}`
  if (end.ended === 'restored')
    return `the files of the box ${box} are being restored; reattach: coop attach ${box}`
  if (end.ended === 'command') return undefined
  const why = end.reason === undefined || end.reason === 'coop stop' ? '' : ` (${end.reason})`
  return `the box ${box} was stopped${why}; start it again: coop start ${box}`
}
