/** `coop system status`: shows the state of the daemon. */
import { askRunning } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { paint, print, printJson, printWarnings } from '../../common/output.ts'

export default command({
  meta: {
    summary: 'show the state of the daemon',
    description: 'Show the state of the daemon. This starts no daemon.',
    examples: ['coop system status', 'coop system status --json'],
  },
  args: {
    ...JSON_OPTION,
  },
  async run({ args }) {
    const paths = userPaths()
    const answer = askRunning(paths, 'system.status', {})
    if (!answer) {
      if (args.json) printJson({ running: false, paths })
      else print('the daemon does not run; it starts with the first command that needs it\n')
      return 0
    }
    const status = answer.value
    if (args.json) {
      printJson({ running: true, ...status })
      return 0
    }
    const rows = [
      ['version', status.version],
      ['pid', String(status.pid)],
      ['up', `${status.uptime} s`],
      ['boxes', String(status.boxes)],
      ['clients', String(status.clients)],
      ['data', status.paths.dataDir],
      ['runtime', status.paths.runtimeDir],
      ['logs', status.paths.logsDir],
    ]
    printWarnings(status.unreadable.map((path) => `a box cannot be read; its files are kept: ${path}`))
    print(rows.map(([name, value]) => `${paint('bold', (name ?? '').padEnd(9))}${value}\n`).join(''))
    return 0
  },
})
