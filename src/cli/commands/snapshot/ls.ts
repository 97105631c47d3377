/** `coop snapshot ls`: lists snapshots. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import type { SnapshotInfo } from '../../../protocol/calls/snapshots.ts'
import { BOX_ARGUMENT, command, JSON_OPTION } from '../../common/declare.ts'
import { age, bytes, print, printable, printError, printJson, shortened, table } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'

const HEAD = ['BOX', 'NAME', 'WORKSPACE', 'FILES', 'SIZE', 'AGE', 'NOTE'] as const
const NOTE = 60 // columns; all of it is in --json

function filesOf({ unknown, touched, files }: SnapshotInfo): string {
  if (unknown) return 'unknown'
  if (touched !== undefined) return `box, ${touched} replaced`
  return files === 'none' ? 'box' : `box, ${files}`
}

export default command({
  meta: {
    summary: 'list snapshots',
    description: 'List the snapshots of one box or of all boxes, including boxes that are gone.',
    examples: ['coop snapshot ls', 'coop snapshot ls my-app --json'],
  },
  args: {
    box: BOX_ARGUMENT,
    ...JSON_OPTION,
  },
  async run({ args }) {
    const snapshots = await ask(userPaths(), 'snapshot.list', targetOf(args.box))
    if (args.json) {
      printJson(snapshots)
      return 0
    }
    if (!snapshots.length) {
      printError('no snapshots; take one: coop snapshot create NAME\n')
      return 0
    }
    const rows = snapshots.map((one) => [
      one.box,
      one.name,
      one.workspace || '-',
      filesOf(one),
      one.unknown || one.automatic ? '-' : bytes(one.size),
      age(one.created),
      shortened(printable(one.note ?? ''), NOTE),
    ])
    print(table(HEAD, rows))
    return 0
  },
})
