/** `coop snapshot restore`: puts a box's files back. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { callerEnvironment } from '../../common/box-options.ts'
import { command } from '../../common/declare.ts'
import { Messages } from '../../common/messages.ts'
import { print } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'
import { SNAPSHOT_ARGUMENTS } from './arguments.ts'

export default command({
  meta: {
    summary: 'put files back',
    description:
      "Put back a box's own files exactly as they were. A running box is stopped and started again. With --workspace, also put back the files of the workspace; this deletes newer files there, except those that git ignores.",
    examples: ['coop snapshot restore before-upgrade', 'coop snapshot restore my-app green --workspace'],
  },
  args: {
    ...SNAPSHOT_ARGUMENTS,
    workspace: { type: 'boolean', description: 'also the files of the workspace, if the snapshot has them' },
    force: {
      type: 'boolean',
      alias: 'f',
      description: 'restore even if that deletes files of the workspace',
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
    const messages = new Messages()
    for (const warning of done.warnings) messages.warn(warning)
    const next = done.running
      ? `it runs; attach: coop attach ${done.box}`
      : `start it: coop start ${done.box}`
    print(`the box ${done.box} has its files back; ${next}\n`)
    return 0
  },
})
