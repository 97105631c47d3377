/** `coop system df`: shows how much of the disk coop uses. */
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { diskUse } from '../../../worker/disk-use.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { bytes, print, printJson, table } from '../../common/output.ts'

const HEAD = ['KIND', 'COUNT', 'SIZE', 'RECLAIMABLE'] as const

export default command({
  meta: {
    summary: 'show the use of the disk',
    description:
      'Show how much of the disk coop uses, by kind. Files that only a box can read are not counted.',
    examples: ['coop system df', 'coop system df --json'],
  },
  args: {
    ...JSON_OPTION,
  },
  async run({ args }) {
    const paths = userPaths()
    await afterEndedBoxes(paths)
    const uses = diskUse(paths)
    if (args.json) printJson(uses)
    else
      print(
        table(
          HEAD,
          uses.map((use) => [use.kind, String(use.count), bytes(use.bytes), bytes(use.reclaimable)]),
        ),
      )
    return 0
  },
})
