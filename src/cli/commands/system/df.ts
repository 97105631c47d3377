/** `coop system df`: what coop takes of the disk. */
import { userPaths } from '../../../client/user-paths.ts'
import { diskUse } from '../../../worker/disk-use.ts'
import type { Command } from '../../common/declare.ts'
import { bytes, print, printJson, table } from '../../common/output.ts'

const HEAD = ['KIND', 'COUNT', 'SIZE', 'RECLAIMABLE'] as const

const command: Command = {
  usage: '',
  about: 'Show what coop takes of the disk, by kind. Files that only a box can read are not counted.',
  examples: ['coop system df', 'coop system df --json'],
  options: { json: { type: 'boolean', about: 'machine-readable output' } },
  maxArguments: 0,
  async run(args) {
    const uses = diskUse(userPaths())
    if (args.flag('json')) printJson(uses)
    else
      print(
        table(
          HEAD,
          uses.map((use) => [use.kind, String(use.count), bytes(use.bytes), bytes(use.reclaimable)]),
        ),
      )
    return 0
  },
}

export default command
