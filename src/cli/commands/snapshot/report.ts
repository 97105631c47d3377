/** Tells what a restore has done. */
import type { Reply } from '../../../protocol/calls.ts'
import { Messages } from '../../common/messages.ts'
import { counted, print } from '../../common/output.ts'

export function reportRestored(done: Reply<'snapshot.restore'>): void {
  const messages = new Messages()
  for (const warning of done.warnings) messages.warn(warning)
  const work = [
    ...(done.replaced ? [`${counted(done.replaced, 'file')} of the workspace put back`] : []),
    ...(done.deleted ? [`${done.deleted} deleted`] : []),
  ]
  const state = done.running
    ? `the box is running. Attach: coop attach ${done.box}`
    : `the box is stopped. Start: coop start ${done.box}`
  print(`Files of ${done.name} restored${work.length ? ` (${work.join(', ')})` : ''}; ${state}\n`)
  print(`The files before that are kept as ${done.undo}. Undo: coop snapshot undo ${done.box}\n`)
}
