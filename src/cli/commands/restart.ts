/** `coop restart`: restart the agent; clients stay. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { callerEnvironment } from '../common/box-options.ts'
import type { Command } from '../common/declare.ts'
import { print, printWarnings } from '../common/output.ts'
import { targetOf } from '../common/target.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'Restart the agent of a box. Who is attached stays attached.',
  examples: ['coop restart', 'coop restart my-app'],
  options: {},
  maxArguments: 1,
  async run(args) {
    const request = { ...targetOf(args.positionals[0]), pty: 0, environment: callerEnvironment() }
    const { box, agent, warnings } = await ask(userPaths(), 'pty.restart', request)
    printWarnings(warnings)
    print(`${agent} is restarting in the box ${box}\n`)
    return 0
  },
}

export default command
