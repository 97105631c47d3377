/** Asks whether a project may have what it wants, and remembers the answer. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { CoopError } from '../../core/errors.ts'
import type { BoxOptions } from '../../protocol/shapes/values.ts'
import { MAX_SHOWN, trustError, type Wanted, wantedBy } from '../../trust/ask.ts'
import { isYes } from './ask-person.ts'
import { counted, isTerminal, paint, printable, printError } from './output.ts'

/**
 * Gets the requests of an E_TRUST error accepted. Raises the error when nobody can be asked, E_TRUST when the answer is
 * no.
 */
export async function settle(accept: boolean, error: unknown): Promise<void> {
  const wanted = wantedBy(error)
  if (!wanted) throw error
  if (!accept) {
    // Too many requests for a screen are left to `coop trust`: nobody should accept unseen requests.
    if (!isTerminal(0) || !isTerminal(2) || wanted.asks.length > MAX_SHOWN) throw error
    printError(wantedText(wanted))
    if (!isYes('Accept this?')) throw declined(wanted, 'nothing was started')
  }
  await remember(wanted)
}

export async function remember({ workspace, asks }: Wanted): Promise<void> {
  await ask(userPaths(), 'trust.accept', { workspace, asks })
}

export const declined = ({ workspace }: Pick<Wanted, 'workspace'>, what: string): CoopError =>
  new CoopError('E_TRUST', `${what}: you have said no to what the project in ${workspace} wants`, {
    hint: 'change its coop.toml, or accept it: coop trust',
  })

/** Returns the requests as text for a person. */
export function wantedText({ workspace, asks, note }: Wanted): string {
  const head = `The project in ${printable(workspace)} wants to do ${counted(asks.length, 'thing')} that you have not accepted:`
  const lines = asks.map(({ sentence }) => `  ${paint('yellow', '-', 2)} ${printable(sentence)}\n`)
  return `${printable(note)}${paint('bold', head, 2)}\n${lines.join('')}`
}

/** Settles the project's requests before a command whose input a later question would disturb. */
export async function settleFirst(accept: boolean, box: BoxOptions): Promise<void> {
  const { workspace, asks, note } = await ask(userPaths(), 'trust.show', { box })
  const open = asks.filter(({ accepted }) => !accepted)
  if (open.length) await settle(accept, trustError(workspace, open, note))
}
