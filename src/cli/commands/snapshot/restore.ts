/** `coop snapshot restore`: put a box's files back. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { callerEnvironment } from '../../common/box-options.ts'
import type { Command } from '../../common/declare.ts'
import { print, printWarnings } from '../../common/output.ts'
import { snapshotTarget } from '../snapshot.ts'

const command: Command = {
  usage: '[OPTIONS] [BOX] NAME',
  about:
    "Put back a box's own files exactly as they were. A box that runs is stopped for it and started again. With --workspace also the files of the workspace: those that were made since and that git does not ignore are deleted.",
  examples: ['coop snapshot restore before-upgrade', 'coop snapshot restore my-app green --workspace'],
  options: {
    workspace: { type: 'boolean', about: 'also the files of the workspace, if the snapshot has them' },
    force: { type: 'boolean', short: 'f', about: 'even if files of the workspace are deleted by it' },
  },
  maxArguments: 2,
  async run(args) {
    const done = await ask(userPaths(), 'snapshot.restore', {
      ...snapshotTarget(args, 'restore'),
      workspace: args.flag('workspace'),
      force: args.flag('force'),
      environment: callerEnvironment(),
    })
    printWarnings(done.warnings)
    const next = done.running
      ? `it runs; attach: coop attach ${done.box}`
      : `start it: coop start ${done.box}`
    print(`the box ${done.box} has its files back; ${next}\n`)
    return 0
  },
}

export default command
