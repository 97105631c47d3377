/** `coop volume ls`: lists the named volumes. */
import { afterEndedBoxes } from '../../../client/left-boxes.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { listVolumes, treeSize } from '../../../worker/disk-use.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { bytes, print, printError, printJson, table } from '../../common/output.ts'

const HEAD = ['VOLUME', 'SIZE', 'USED BY'] as const

export default command({
  meta: {
    summary: 'list volumes',
    description:
      'List the named volumes, and the logins of agents (login:claude), each of which all boxes of the agent share.',
    examples: ['coop volume ls', 'coop volume ls --json'],
  },
  args: {
    ...JSON_OPTION,
  },
  async run({ args }) {
    const paths = userPaths()
    await afterEndedBoxes(paths)
    const volumes = listVolumes(paths).map((volume) => ({ ...volume, size: treeSize(volume.path) }))
    if (args.json) printJson(volumes)
    else if (!volumes.length) printError('no volumes; name one in [sandbox] mounts: "cache:~/.cache"\n')
    else
      print(
        table(
          HEAD,
          volumes.map(({ name, size, usedBy }) => [name, bytes(size), usedBy.join(', ') || '-']),
        ),
      )
    return 0
  },
})
