/** `coop restart`: restarts the agent; attached clients stay. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { callerEnvironment, TRUST_OPTION } from '../common/box-options.ts'
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { print, printWarnings } from '../common/output.ts'
import { targetOf } from '../common/target.ts'
import { trusting } from '../common/trusting.ts'

export default command({
  meta: {
    summary: 'restart the agent of a box',
    description: 'Restart the agent of a box. Attached clients stay attached.',
    examples: ['coop restart', 'coop restart my-app'],
    group: 'Boxes',
  },
  args: {
    box: BOX_ARGUMENT,
    ...TRUST_OPTION,
  },
  async run({ args }) {
    const target = targetOf(args.box)
    const request = { ...target, pty: 0, environment: callerEnvironment(target) }
    const { box, agent, warnings } = await trusting(args.trust, () =>
      ask(userPaths(), 'pty.restart', request),
    )
    printWarnings(warnings)
    print(`${agent} is restarting in the box ${box}\n`)
    return 0
  },
})
