/** `coop trust ls`: lists the accepted requests of all folders. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { age, homePath, print, printJson, table } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'list what is accepted, by folder',
    description: 'List everything that you have accepted for projects, by folder.',
    examples: ['coop trust ls', 'coop trust ls --json'],
  },
  args: {
    ...JSON_OPTION,
  },
  async run({ args }) {
    const folders = await ask(userPaths(), 'trust.list', {})
    if (args.json) {
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
})
