/** `coop snapshot undo`: takes the last restore back. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { callerEnvironment } from '../../common/box-options.ts'
import { BOX_ARGUMENT, command } from '../../common/declare.ts'
import { targetOf } from '../../common/target.ts'
import { reportRestored } from './report.ts'

export default command({
  meta: {
    summary: 'take the last restore back',
    description:
      "Put back the files that the last restore replaced and deleted, the box's own ones and those of the workspace, and delete the files that it made. This is a restore, too: a second undo takes the first one back. After an interrupted restore, undo puts back the files before it.",
    examples: ['coop snapshot undo', 'coop snapshot undo my-app'],
  },
  args: { box: BOX_ARGUMENT },
  async run({ args }) {
    const target = targetOf(args.box)
    const request = { ...target, environment: callerEnvironment(target) }
    reportRestored(await ask(userPaths(), 'snapshot.undo', request))
    return 0
  },
})
