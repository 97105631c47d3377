/** `coop stop`: end the processes of a box and keep its files. */
import { ask } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import type { Command } from './command.ts'
import { print } from './output.ts'
import { findBox } from './target.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'End every process of a box and keep its files. coop start goes on with them.',
  examples: ['coop stop', 'coop stop my-app -f'],
  options: {
    force: { type: 'boolean', short: 'f', about: 'at once, without the 5 seconds to finish' },
  },
  maxArguments: 1,
  async run(args) {
    const box = await findBox(args.positionals[0])
    await ask(userPaths(), { do: 'box.stop', name: box.name, force: args.flag('force') })
    print(`the box ${box.name} is stopped; start it again: coop start ${box.name}\n`)
    return 0
  },
}

export default command
