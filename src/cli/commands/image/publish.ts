/** `coop image publish`: an image made of a box or a snapshot. */
import { ask } from '../../../client/ask.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import { localReference } from '../../../image/reference.ts'
import type { Command } from '../../common/declare.ts'
import { bytes, print, printJson } from '../../common/output.ts'
import { targetOf } from '../../common/target.ts'

const command: Command = {
  usage: '[OPTIONS] BOX|SNAPSHOT|BOX SNAPSHOT NAME',
  about:
    "Make an image of a box's own files, or of a snapshot's, on top of what the box started from. All of them are in it, also secrets; nothing of the workspace and of volumes is.",
  examples: [
    'coop image publish my-app with-tools',
    'coop image publish my-app before-upgrade old-tools',
    'coop run --image with-tools -- make test',
  ],
  options: {
    force: { type: 'boolean', short: 'f', about: 'replace an image of that name' },
    json: { type: 'boolean', about: 'machine-readable output' },
  },
  maxArguments: 3,
  async run(args) {
    const [first, ...rest] = args.positionals
    const name = rest.pop()
    const source = rest.length ? `${first}/${rest[0]}` : first
    if (source === undefined || name === undefined)
      throw new CoopError(
        'E_USAGE',
        'coop image publish needs a box or a snapshot, and a name for the image',
        {
          hint: 'coop image publish my-app with-tools',
        },
      )
    const { cwd } = targetOf(undefined)
    const reference = localReference(name)
    const force = args.flag('force')
    const made = await ask(userPaths(), 'image.publish', { source, cwd, reference, force })
    if (args.flag('json')) printJson(made)
    else
      print(
        `${made.reference} is ${made.of}: ${bytes(made.size)} of its own; use it: coop -n NAME --image ${made.reference}\n`,
      )
    return 0
  },
}

export default command
