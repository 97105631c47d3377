/** `coop stop`: end the processes of a box and keep its files. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import type { Command } from '../common/declare.ts'
import { print } from '../common/output.ts'
import { targetOf } from '../common/target.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'End every process of a box and keep its files. coop start goes on with them.',
  examples: ['coop stop', 'coop stop my-app -f'],
  options: {
    force: { type: 'boolean', short: 'f', about: 'at once, without the 5 seconds to finish' },
  },
  maxArguments: 1,
  async run(args) {
    const request = { ...targetOf(args.positionals[0]), force: args.flag('force') }
    const { box } = await ask(userPaths(), 'box.stop', request)
    print(`the box ${box} is stopped; start it again: coop start ${box}\n`)
    return 0
  },
}

export default command
