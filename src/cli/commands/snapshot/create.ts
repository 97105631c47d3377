/** `coop snapshot create`: keeps a copy of a box's files. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import { BOX_ARGUMENT, command } from '../../common/declare.ts'
import { Messages } from '../../common/messages.ts'
import { bytes, print } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'

export default command({
  meta: {
    summary: "keep a copy of a box's files",
    description:
      "Keep a copy of a box's own files under a name. The box's processes pause while coop copies the files.",
    examples: [
      'coop snapshot create before-upgrade',
      'coop snapshot create my-app green --workspace --note "tests pass"',
    ],
  },
  args: {
    box: BOX_ARGUMENT,
    name: { type: 'positional', required: true, description: 'The name of the snapshot.' },
    note: { type: 'string', valueHint: 'TEXT', description: 'a short text that the list shows' },
    workspace: {
      type: 'boolean',
      description: "with the repository's files, untracked ones too; git's own state is not touched",
    },
    'include-ignored': { type: 'boolean', description: 'with --workspace: also files that git ignores' },
  },
  async run({ args }) {
    const [workspace, ignored] = [args.workspace, args['include-ignored']]
    if (ignored && !workspace)
      throw new CoopError('E_USAGE', '--include-ignored needs --workspace, whose files it adds', {
        hint: 'add --workspace',
      })
    const note = args.note
    const made = await ask(userPaths(), 'snapshot.create', {
      ...targetOf(args.box),
      name: args.name,
      workspace,
      ignored,
      ...(note === undefined ? {} : { note }),
    })
    if (made.leftOut)
      new Messages().warn(
        `not in the snapshot, since they are repositories of their own: ${made.leftOut.join(', ')}`,
      )
    const back = `coop snapshot restore ${made.box} ${made.name}${workspace ? ' --workspace' : ''}`
    print(`Snapshot ${made.name} of the box ${made.box} created (${bytes(made.size)}). Restore: ${back}\n`)
    return 0
  },
})
