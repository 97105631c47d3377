/** `coop serve ls`: lists the browsers that are signed in. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { age, print, printJson, table } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'list the browsers that are signed in',
    description: 'List the browsers that are signed in, those that were here last first.',
    examples: ['coop serve ls'],
  },
  args: { ...JSON_OPTION },
  async run({ args }) {
    const browsers = (await ask(userPaths(), 'serve.browsers', {})).toSorted(
      (one, other) => other.seen - one.seen,
    )
    if (args.json) {
      printJson(browsers)
      return 0
    }
    if (!browsers.length) {
      print('no browser is signed in\n')
      return 0
    }
    const rows = browsers.map(({ id, name, address, readonly, open, seen, created }) => [
      id,
      name,
      address,
      readonly ? 'look' : 'everything',
      String(open),
      open ? 'now' : age(seen),
      age(created),
    ])
    print(table(['id', 'browser', 'address', 'may', 'pages', 'seen', 'signed in'], rows))
    return 0
  },
})
