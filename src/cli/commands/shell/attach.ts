/** `coop shell attach`: rejoin a shell by its number. */
import { command } from '../../common/declare.ts'
import { targetBox } from '../../common/target.ts'
import { findShell, SHELL_ARGUMENT } from './find.ts'

export default command({
  meta: {
    summary: 'rejoin one by its number',
    description: 'Rejoin a shell by its number.',
    examples: ['coop shell attach 1', 'coop shell attach my-app:2 --readonly'],
  },
  args: {
    id: SHELL_ARGUMENT,
    readonly: { type: 'boolean', description: 'watch only: your input does not reach the box' },
  },
  async run({ args }) {
    const { attachTo, needTerminal } = await import('../../common/show.ts')
    needTerminal('show its output without one: coop shell logs ID')
    const { box, pty } = await findShell(args.id)
    const { session } = await targetBox(box.name)
    return attachTo(session, box, { pty: pty.id, readonly: args.readonly })
  },
})
