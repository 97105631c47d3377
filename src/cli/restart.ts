/** `coop restart`: restart the agent; clients stay. */
import { ask } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import { callerEnvironment, TRUST_OPTION } from './box-options.ts'
import type { Command } from './command.ts'
import { print, printWarnings } from './output.ts'
import { findBox } from './target.ts'
import { trusting } from './trusting.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'Restart the agent of a box. Who is attached stays attached.',
  examples: ['coop restart', 'coop restart my-app'],
  options: TRUST_OPTION,
  maxArguments: 1,
  async run(args) {
    const box = await findBox(args.positionals[0])
    const environment = callerEnvironment()
    const call = { do: 'pty.restart', name: box.name, pty: 0, environment } as const
    const { warnings } = await trusting(args.flag('trust'), () =>
      ask<{ warnings: string[] }>(userPaths(), call),
    )
    printWarnings(warnings)
    print(`${box.agent} is restarting in the box ${box.name}\n`)
    return 0
  },
}

export default command
