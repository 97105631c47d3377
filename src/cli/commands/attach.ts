/** `coop attach`: rejoin the agent. */
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { attachTo, needTerminal } from '../common/show.ts'
import { targetBox } from '../common/target.ts'

export default command({
  meta: {
    summary: 'rejoin the agent of a box',
    description: 'Rejoin the agent of a box. Ctrl+] leaves it running.',
    examples: ['coop attach', 'coop attach my-app --readonly'],
    group: 'Agents and commands',
  },
  args: {
    box: BOX_ARGUMENT,
    readonly: { type: 'boolean', description: 'watch only: your input does not reach the box' },
  },
  async run({ args }) {
    needTerminal('run it in a terminal; without one, look at the box: coop status')
    const { session, box } = await targetBox(args.box)
    return attachTo(session, box, { pty: 0, readonly: args.readonly })
  },
})
