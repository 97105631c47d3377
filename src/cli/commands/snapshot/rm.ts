/** `coop snapshot rm`: removes a snapshot. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { command } from '../../common/declare.ts'
import { print } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'
import { SNAPSHOT_ARGUMENTS } from './arguments.ts'

export default command({
  meta: {
    summary: 'remove a snapshot',
    description: 'Remove a snapshot. Its box is not touched.',
    examples: ['coop snapshot rm before-upgrade', 'coop snapshot rm my-app green'],
  },
  args: {
    ...SNAPSHOT_ARGUMENTS,
  },
  async run({ args }) {
    const { name } = args
    const { box } = await ask(userPaths(), 'snapshot.remove', { ...targetOf(args.box), name })
    print(`Snapshot ${name} of the box ${box} removed.\n`)
    return 0
  },
})
