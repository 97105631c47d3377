/** `coop snapshot create`: keep a box's files. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import type { Command } from '../../common/declare.ts'
import { bytes, print, printWarnings } from '../../common/output.ts'
import { snapshotTarget } from '../snapshot.ts'

const command: Command = {
  usage: '[OPTIONS] [BOX] NAME',
  about: "Keep a box's own files under a name. Its processes stand still while they are copied, and go on.",
  examples: [
    'coop snapshot create before-upgrade',
    'coop snapshot create my-app green --workspace --note "tests pass"',
  ],
  options: {
    note: { type: 'string', value: 'TEXT', about: 'a few words for the list' },
    workspace: {
      type: 'boolean',
      about: "with the repository's files, untracked ones too; nothing of git is touched",
    },
    'include-ignored': { type: 'boolean', about: 'with --workspace: also files that git ignores' },
  },
  maxArguments: 2,
  async run(args) {
    const target = snapshotTarget(args, 'create')
    const [workspace, ignored] = [args.flag('workspace'), args.flag('include-ignored')]
    if (ignored && !workspace)
      throw new CoopError('E_USAGE', '--include-ignored is about files of the workspace', {
        hint: '--workspace --include-ignored',
      })
    const note = args.text('note')
    const made = await ask(userPaths(), 'snapshot.create', {
      ...target,
      workspace,
      ignored,
      ...(note === undefined ? {} : { note }),
    })
    if (made.leftOut)
      printWarnings([
        `not in the snapshot, since they are repositories of their own: ${made.leftOut.join(', ')}`,
      ])
    const back = `coop snapshot restore ${made.box} ${made.name}${workspace ? ' --workspace' : ''}`
    print(`kept ${bytes(made.size)} of the box ${made.box}; put them back: ${back}\n`)
    return 0
  },
}

export default command
