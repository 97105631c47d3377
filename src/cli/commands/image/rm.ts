/** `coop image rm`: take images away, with the layers that nothing else uses. */
import { askWorker } from '../../../client/image-worker.ts'
import { userPaths } from '../../../client/user-paths.ts'
import { CoopError } from '../../../core/errors.ts'
import { shortReference } from '../../../image/reference.ts'
import type { Command } from '../../common/declare.ts'
import { bytes, counted, print, printable, printJson } from '../../common/output.ts'
import { warn } from '../../common/worker-warnings.ts'
import { findImage } from './find.ts'

const command: Command = {
  usage: '[-f] REFERENCE…',
  about: 'Remove images that no box uses, with the layers that nothing else needs.',
  examples: ['coop image rm debian:bookworm'],
  options: {
    force: {
      type: 'boolean',
      short: 'f',
      about: 'also one that boxes use: they go on with its layers',
    },
    json: { type: 'boolean', about: 'machine-readable output' },
  },
  async run(args) {
    if (!args.positionals.length)
      throw new CoopError('E_USAGE', 'coop image rm needs a reference', { hint: 'coop image ls' })
    const paths = userPaths()
    const references = args.positionals.map((text) => findImage(paths, text).reference)
    const removed = await askWorker('image.remove', { references, force: args.flag('force') }, warn)
    if (args.flag('json')) printJson(removed)
    else
      print(
        `removed ${references.map((name) => printable(shortReference(name))).join(', ')}: ${counted(removed.layers, 'layer')}, ${bytes(removed.bytes)}\n`,
      )
    return 0
  },
}

export default command
