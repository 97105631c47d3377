/** `coop shell restart`: restarts a shell. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { callerEnvironment } from '../../common/box-options.ts'
import { command } from '../../common/declare.ts'
import { print } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'
import { findShell, onlyShell } from './find.ts'

export default command({
  meta: {
    summary: 'restart one',
    description:
      'End the programs of a shell and start it again. Attached clients stay. Without ID, restarts the only shell.',
    examples: ['coop shell restart', 'coop shell restart my-app:2'],
  },
  args: {
    id: {
      type: 'positional',
      complete: 'shell',
      description: 'The number of a shell of this folder’s box, or BOX:NUMBER (default: the only shell).',
    },
  },
  async run({ args }) {
    const { box, pty } = await (args.id === undefined ? onlyShell() : findShell(args.id))
    const target = targetOf(box.name)
    const request = { ...target, pty: pty.id, environment: callerEnvironment(target) }
    await ask(userPaths(), 'pty.restart', request)
    print(`shell ${pty.id} of the box ${box.name} is restarting\n`)
    return 0
  },
})
