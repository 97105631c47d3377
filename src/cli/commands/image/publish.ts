/** `coop image publish`: makes an image of a box or a snapshot. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { localReference } from '../../../image/reference.ts'
import { command, JSON_OPTION } from '../../common/declare.ts'
import { bytes, print, printJson } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'

export default command({
  meta: {
    summary: 'make an image of a box or a snapshot',
    description:
      "Make an image of the own files of a box or a snapshot, on top of the box's image. It holds all of these files, secrets included, but nothing of the workspace or of volumes.",
    examples: [
      'coop image publish my-app with-tools',
      'coop image publish my-app before-upgrade old-tools',
      'coop run --image with-tools -- make test',
    ],
  },
  args: {
    source: {
      type: 'positional',
      required: true,
      valueHint: 'BOX|SNAPSHOT',
      complete: 'box',
      description: 'The box, or a snapshot by its name alone.',
    },
    snapshot: { type: 'positional', complete: 'snapshot', description: 'A snapshot of that box.' },
    name: { type: 'positional', required: true, description: 'The name of the image.' },
    force: { type: 'boolean', alias: 'f', description: 'replace an image of that name' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const source = args.snapshot === undefined ? args.source : `${args.source}/${args.snapshot}`
    const { cwd } = targetOf(undefined)
    const reference = localReference(args.name)
    const force = args.force
    const made = await ask(userPaths(), 'image.publish', { source, cwd, reference, force })
    if (args.json) printJson(made)
    else
      print(
        `${made.reference} is ${made.of}: ${bytes(made.size)} of its own; use it: coop -n NAME --image ${made.reference}\n`,
      )
    return 0
  },
})
