/** `coop snapshot ls`: what there is to put back. */
import { ask } from '../client/ask.ts'
import { userPaths } from '../client/user-paths.ts'
import type { SnapshotInfo } from '../protocol/snapshot-messages.ts'
import type { Command } from './command.ts'
import { age, bytes, print, printable, printError, printJson, shortened, table } from './output.ts'
import { boxTarget } from './snapshot.ts'

const HEAD = ['BOX', 'NAME', 'WORKSPACE', 'FILES', 'SIZE', 'AGE', 'NOTE'] as const
const NOTE = 60 // columns; all of it is in --json

const command: Command = {
  usage: '[BOX]',
  about: 'List snapshots, of one box or of all; also of boxes that are gone.',
  examples: ['coop snapshot ls', 'coop snapshot ls my-app --json'],
  options: { json: { type: 'boolean', about: 'machine-readable output' } },
  maxArguments: 1,
  async run(args) {
    const snapshots = await ask<SnapshotInfo[]>(userPaths(), {
      do: 'snapshot.list',
      ...boxTarget(args.positionals[0]),
    })
    if (args.flag('json')) {
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
      one.unknown ? 'unknown' : one.files === 'none' ? 'box' : `box, ${one.files}`,
      one.unknown ? '-' : bytes(one.size),
      age(one.created),
      shortened(printable(one.note ?? ''), NOTE),
    ])
    print(table(HEAD, rows))
    return 0
  },
}

export default command
