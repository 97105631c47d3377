/** `coop attach`: rejoin the agent. */
import type { Command } from '../common/declare.ts'
import { attachTo, needTerminal } from '../common/show.ts'
import { targetBox } from '../common/target.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'Rejoin the agent of a box. Ctrl+] leaves it running.',
  examples: ['coop attach', 'coop attach my-app --readonly'],
  options: { readonly: { type: 'boolean', about: 'watch only: nothing typed reaches the box' } },
  maxArguments: 1,
  async run(args) {
    needTerminal('run it in a terminal; coop status shows the box without one')
    const { session, box } = await targetBox(args.positionals[0])
    return attachTo(session, box, { pty: 0, readonly: args.flag('readonly') })
  },
}

export default command
