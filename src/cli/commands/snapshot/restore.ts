/** `coop snapshot restore`: puts a box's files back. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { callerEnvironment } from '../../common/box-options.ts'
import { command } from '../../common/declare.ts'
import { targetOf } from '../../common/target.ts'
import { SNAPSHOT_ARGUMENTS } from './arguments.ts'
import { reportRestored } from './report.ts'

export default command({
  meta: {
    summary: 'put files back',
    description:
      "Put back a box's own files exactly as they were. A running box is stopped and started again. With --workspace, also put back the files of the workspace, and delete those that were made since and that git did not ignore then. What is replaced or deleted is kept in an automatic snapshot first: `coop snapshot undo` takes the restore back.",
    examples: [
      'coop snapshot restore before-upgrade',
      'coop snapshot restore my-app green --workspace',
      'coop snapshot undo',
    ],
  },
  args: {
    ...SNAPSHOT_ARGUMENTS,
    workspace: { type: 'boolean', description: 'also the files of the workspace, if the snapshot has them' },
    force: {
      type: 'boolean',
      alias: 'f',
      description: 'delete files of the workspace that were made since, without asking',
    },
  },
  async run({ args }) {
    const target = targetOf(args.box)
    const done = await ask(userPaths(), 'snapshot.restore', {
      ...target,
      name: args.name,
      workspace: args.workspace,
      force: args.force,
      environment: callerEnvironment(target),
    })
    reportRestored(done)
    return 0
  },
})
