/** `coop shell kill`: hangs a shell up. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { command } from '../../common/declare.ts'
import { print } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'
import { findShell, SHELL_ARGUMENT } from './find.ts'

export default command({
  meta: {
    summary: 'hang one up',
    description: 'Hang up a shell: its programs get SIGHUP.',
    examples: ['coop shell kill 1', 'coop shell kill my-app:2'],
  },
  args: {
    id: SHELL_ARGUMENT,
  },
  async run({ args }) {
    const { box, pty } = await findShell(args.id)
    await ask(userPaths(), 'pty.kill', { ...targetOf(box.name), pty: pty.id })
    print(`shell ${pty.id} of the box ${box.name} is gone\n`)
    return 0
  },
})
