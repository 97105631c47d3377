/** `coop system shutdown`: stops the daemon; boxes keep running. */
import { connectRunning } from '../../../client/daemon.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { command } from '../../common/declare.ts'
import { print } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'stop the daemon; boxes keep running',
    description:
      'Stop the daemon. Boxes keep running; the next command starts a daemon that takes them over.',
    examples: ['coop system shutdown'],
  },
  args: {},
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
    print('the daemon has stopped; boxes keep running\n')
    return 0
  },
})
