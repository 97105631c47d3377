/** `coop start`: start a stopped box again. */
import { ask } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import { callerEnvironment, TRUST_OPTION } from './box-options.ts'
import type { Command } from './command.ts'
import { print, printWarnings } from './output.ts'
import { findBox } from './target.ts'
import { trusting } from './trusting.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'Start a stopped box again, with the files it had. coop.toml is read again.',
  examples: ['coop start', 'coop start my-app && coop attach my-app'],
  options: TRUST_OPTION,
  maxArguments: 1,
  async run(args) {
    const box = await findBox(args.positionals[0])
    const call = { do: 'box.start', name: box.name, environment: callerEnvironment() } as const
    const { warnings } = await trusting(args.flag('trust'), () =>
      ask<{ warnings: string[] }>(userPaths(), call),
    )
    printWarnings(warnings)
    print(`the box ${box.name} is running; attach: coop attach ${box.name}\n`)
    return 0
  },
}

export default command
