/** `coop trust ls`: what is accepted, of all folders. */
import { ask } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import type { TrustedFolder } from '../protocol/trust-messages.ts'
import type { Command } from './command.ts'
import { age, homePath, print, printJson, table } from './output.ts'

const command: Command = {
  usage: '',
  about: 'List what you have accepted of the projects of all folders.',
  examples: ['coop trust ls', 'coop trust ls --json'],
  options: { json: { type: 'boolean', about: 'machine-readable output' } },
  maxArguments: 0,
  async run(args) {
    const folders = await ask<TrustedFolder[]>(userPaths(), { do: 'trust.list' })
    if (args.flag('json')) {
      printJson(folders)
      return 0
    }
    if (!folders.length) {
      print('nothing is accepted\n')
      return 0
    }
    const rows = folders.flatMap(({ workspace, accepted }) =>
      accepted.map(({ sentence, since }) => [homePath(workspace), age(since), `to ${sentence}`]),
    )
    print(table(['FOLDER', 'AGE', 'ACCEPTED'], rows))
    return 0
  },
}

export default command
