/** `coop system shutdown`: stop the daemon; boxes go on. */
import { connectRunning } from '../../../client/daemon.ts'
import { userPaths } from '../../../client/user-paths.ts'
import type { Command } from '../../common/declare.ts'
import { print } from '../../common/output.ts'

const command: Command = {
  usage: '',
  about: 'Stop the daemon. Boxes go on; the next command starts a daemon that takes them over.',
  examples: ['coop system shutdown'],
  options: {},
  maxArguments: 0,
  async run() {
    const session = await connectRunning(userPaths())
    if (!session) {
      print('the daemon does not run\n')
      return 0
    }
    const gone = new Promise<void>((resolve) => {
      session.onLost = () => resolve()
    })
    await session.call('system.shutdown', {})
    await gone
    print('the daemon has stopped; boxes go on\n')
    return 0
  },
}

export default command
