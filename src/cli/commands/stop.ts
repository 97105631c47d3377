/** `coop stop`: ends the processes of a box and keeps its files. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { print } from '../common/output.ts'
import { targetOf } from '../common/target.ts'

export default command({
  meta: {
    summary: 'end the processes of a box, keep its files',
    description: 'End every process of a box and keep its files. coop start starts it again.',
    examples: ['coop stop', 'coop stop my-app -f'],
    group: 'Boxes',
  },
  args: {
    box: BOX_ARGUMENT,
    force: { type: 'boolean', alias: 'f', description: 'at once, without the 5 seconds to finish' },
  },
  async run({ args }) {
    const request = { ...targetOf(args.box), force: args.force }
    const { box } = await ask(userPaths(), 'box.stop', request)
    print(`the box ${box} is stopped; start it again: coop start ${box}\n`)
    return 0
  },
})
