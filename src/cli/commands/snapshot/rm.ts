/** `coop snapshot rm`: remove a snapshot. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import type { Command } from '../../common/declare.ts'
import { print } from '../../common/output.ts'
import { snapshotTarget } from '../snapshot.ts'

const command: Command = {
  usage: '[BOX] NAME',
  about: 'Remove a snapshot; its box, if there still is one, is not touched.',
  examples: ['coop snapshot rm before-upgrade', 'coop snapshot rm my-app green'],
  options: {},
  maxArguments: 2,
  async run(args) {
    const target = snapshotTarget(args, 'rm')
    const { box } = await ask(userPaths(), 'snapshot.remove', target)
    print(`the snapshot ${target.name} of the box ${box} is removed\n`)
    return 0
  },
}

export default command
