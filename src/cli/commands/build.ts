/** `coop build`: builds the image of this project, with its setup steps. */
import { BOX_OPTIONS, boxOptions, TRUST_OPTION } from '../common/box-options.ts'
import { buildImage } from '../common/build-image.ts'
import { command, JSON_OPTION } from '../common/declare.ts'
import { printJson } from '../common/output.ts'

export default command({
  meta: {
    summary: 'pull the image and run its setup steps',
    description: 'Pull the image of this project and run its setup steps. Cached steps are not run again.',
    examples: ['coop build', 'coop build --no-cache', 'coop build --image debian:bookworm'],
    group: 'Images and storage',
  },
  args: {
    workspace: BOX_OPTIONS.workspace,
    image: BOX_OPTIONS.image,
    network: BOX_OPTIONS.network,
    ...TRUST_OPTION,
    'no-cache': { type: 'boolean', description: 'run every step again' },
    pull: { type: 'boolean', description: 'ask the registry for a newer image' },
    quiet: { type: 'boolean', alias: 'q', description: 'print errors only' },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const quiet = args.quiet || args.json
    const options = { quiet, noCache: args['no-cache'], pull: args.pull, trust: args.trust }
    const result = await buildImage(boxOptions(args), options)
    if (args.json) printJson(result)
    return 0
  },
})
