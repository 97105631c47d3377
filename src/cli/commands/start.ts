/** `coop start`: start a stopped box again. */
import { ask } from '../../client/ask.ts'
import { userPaths } from '../../client/user-paths.ts'
import { callerEnvironment } from '../common/box-options.ts'
import type { Command } from '../common/declare.ts'
import { print, printWarnings } from '../common/output.ts'
import { targetOf } from '../common/target.ts'

const command: Command = {
  usage: '[BOX]',
  about: 'Start a stopped box again, with the files it had. coop.toml is read again.',
  examples: ['coop start', 'coop start my-app && coop attach my-app'],
  options: {},
  maxArguments: 1,
  async run(args) {
    const request = { ...targetOf(args.positionals[0]), environment: callerEnvironment() }
    const { box, warnings } = await ask(userPaths(), 'box.start', request)
    printWarnings(warnings)
    print(`the box ${box} is running; attach: coop attach ${box}\n`)
    return 0
  },
}

export default command
