/** `coop logs`: shows the output of a box's agent. */
import { BOX_ARGUMENT, command } from '../common/declare.ts'
import { LOGS_OPTIONS, showLogs } from '../common/logs.ts'
import { targetOf } from '../common/target.ts'

export default command({
  meta: {
    summary: 'show the output of an agent',
    description:
      'Show the output of the agent of a running or stopped box. Output into a pipe has no escape sequences.',
    examples: ['coop logs -n 100', 'coop logs my-app -f | grep -i error', 'coop logs --raw >session.txt'],
    group: 'Agents and commands',
  },
  args: {
    box: BOX_ARGUMENT,
    ...LOGS_OPTIONS,
  },
  async run({ args }) {
    return showLogs(args, { ...targetOf(args.box), pty: 0 })
  },
})
